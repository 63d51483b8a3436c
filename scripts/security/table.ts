// Prints one row per kind of bad input, from the results of the tests that prove it. Ends with 1 when one fails.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { type Case, cases } from './cases.ts'

interface Result {
  /** `<file> <name>`. */
  readonly name: string
  readonly status: string
}

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

const results = runTests()
const rows = cases.map((one) => row(one, results))
printTable(['case', 'comes in', 'must come out', 'tests', 'outcome'], rows)
const count = (outcome: string): number => rows.filter((cells) => cells[4] === outcome).length
console.log(
  `${cases.length} cases: ${count('ok')} ok, ${count('FAILED')} failed, ${count('no test yet')} without a test`,
)
process.exit(count('FAILED') > 0 ? 1 : 0)

/** Runs the whole suite once: the cases are proved by the tests of the parts they concern. */
function runTests(): readonly Result[] {
  const folder = mkdtempSync(join(tmpdir(), 'security-'))
  const file = join(folder, 'report.json')
  try {
    spawnSync('npx', ['vitest', 'run', '--reporter=json', `--outputFile=${file}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const report: Report = JSON.parse(readFileSync(file, 'utf8'))
    return report.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ fullName, status }) => ({
        name: `${relative(process.cwd(), name)} ${fullName}`,
        status,
      })),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function row({ id, input, outcome, tests }: Case, all: readonly Result[]): readonly string[] {
  const numbered = new RegExp(`\\b${id}\\b`)
  const mine = all.filter(({ name }) => numbered.test(name) || tests.some((pattern) => pattern.test(name)))
  const passed = mine.filter(({ status }) => status === 'passed').length
  const verdict = mine.length === 0 ? 'no test yet' : passed === mine.length ? 'ok' : 'FAILED'
  return [id, input, outcome, `${passed}/${mine.length}`, verdict]
}

function printTable(head: readonly string[], body: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  console.log([line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...body.map(line)].join('\n'))
}
