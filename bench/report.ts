import { cpus, totalmem } from 'node:os'
import type { Figure, Row } from './harness.ts'

/** The rows of one benchmark. */
export interface Section {
  readonly name: string
  readonly rows: readonly Row[]
}

/** Where the figures were taken. */
export function machine(): string {
  const cores = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cores.length} × ${cores[0]?.model ?? 'unknown processor'}, ${memory} GiB, Node ${process.version}, ${process.platform}`
}

/** The table as Markdown: median (smallest–largest), ratio of ours to theirs pair by pair. */
export function markdown(sections: readonly Section[]): string {
  return sections.map(sectionTable).join('\n')
}

function sectionTable(section: Section): string {
  const head = `## ${section.name}\n\n| What | Ours | Compared with | Theirs | Ratio | Goal |\n| --- | --- | --- | --- | --- | --- |\n`
  return `${head}${section.rows.map(line).join('\n')}\n`
}

function line(row: Row): string {
  if (row.missing !== undefined)
    return `| ${row.name} | – | ${row.peer ?? '–'} | not measured: ${row.missing} | – | – |`
  const cells = [
    row.name,
    amount(row.ours, row.unit),
    row.peer ?? '–',
    row.theirs === undefined ? '–' : amount(row.theirs, row.unit),
    row.ratio === undefined ? '–' : `${amount(row.ratio, '')}×`,
    row.goal === undefined ? '–' : `${row.goal} ${row.reached === true ? 'reached' : '**not reached**'}`,
  ]
  return `| ${cells.join(' | ')} |`
}

function amount({ median, min, max }: Figure, unit: string): string {
  const text = min === max ? short(median) : `${short(median)} (${short(min)}–${short(max)})`
  return unit === '' ? text : `${text} ${unit}`
}

function short(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value)
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

const rowHeight = 26
const chartLeft = 330
const chartWidth = 420

/** Ratios as bars around 1×: shorter than the line is faster than what it is compared with. */
export function chart(sections: readonly Section[]): string {
  const rows = sections.flatMap(({ rows }) => rows.filter((row) => row.ratio !== undefined))
  const height = rows.length * rowHeight + 60
  const bars = rows.map((row, index) => bar(row, 40 + index * rowHeight)).join('\n')
  const one = chartLeft + position(1)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${chartLeft + chartWidth + 90} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="Time divided by the time of what it is compared with">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="12" y="20" font-weight="600">Time divided by the time of what it is compared with (logarithmic; left of 1× is faster)</text>
${bars}
<line x1="${one}" y1="30" x2="${one}" y2="${height - 20}" stroke="#444" stroke-dasharray="3 3"/>
<text x="${one}" y="${height - 6}" text-anchor="middle">1×</text>
</svg>
`
}

function bar(row: Row, y: number): string {
  const ratio = row.ratio?.median ?? 1
  const width = Math.max(2, position(ratio))
  const colour = ratio <= 1 ? '#2f7d5b' : '#b4552d'
  return `<text x="${chartLeft - 8}" y="${y + 14}" text-anchor="end">${escape(row.name)}</text>
<rect x="${chartLeft}" y="${y + 3}" width="${width}" height="${rowHeight - 10}" fill="${colour}" rx="2"/>
<text x="${chartLeft + width + 6}" y="${y + 14}">${short(ratio)}×</text>`
}

/** 0.01× is at the left edge, 10× at the right. */
function position(ratio: number): number {
  const clamped = Math.min(10, Math.max(0.01, ratio))
  return ((Math.log10(clamped) + 2) / 3) * chartWidth
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
