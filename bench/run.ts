// npx -y pnpm@12 bench [--only name] [--pairs N] [--repo folder]
// Runs every benchmark the machine has the parts for, and writes the table and the chart of each into docs/benchmarks/<name>.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Benchmark } from './harness.ts'
import { type Section, chart, machine, markdown } from './report.ts'

const { values } = parseArgs({
  options: { only: { type: 'string' }, pairs: { type: 'string', default: '7' }, repo: { type: 'string' } },
})
const names = readdirSync('bench').filter((name) => existsSync(join('bench', name, 'run.ts')))
const chosen = values.only === undefined ? names : names.filter((name) => name === values.only)
if (chosen.length === 0) {
  console.error(`No benchmark is called ${values.only}. There are: ${names.join(', ')}.`)
  process.exit(1)
}

const sections: Section[] = []
for (const name of chosen) {
  const { run } = (await import(pathToFileURL(join('bench', name, 'run.ts')).href)) as { run: Benchmark }
  const say = (line: string): void => console.error(`${name}: ${line}`)
  const options = { pairs: Number(values.pairs), say, ...(values.repo === undefined ? {} : { repo: values.repo }) }
  const section = { name, rows: await run(options) }
  const folder = join('docs/benchmarks', name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.md'), reportOf([section]))
  writeFileSync(join(folder, 'ratios.svg'), chart([section]))
  sections.push(section)
}
console.log(reportOf(sections))

function reportOf(of: readonly Section[]): string {
  return `# Benchmarks\n\nMeasured on ${machine()}. Median (smallest–largest) of interleaved runs; a ratio is ours divided by theirs.\n\n${markdown(of)}`
}
