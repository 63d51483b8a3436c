// npx -y pnpm@12 test:security
// One row per kind of bad input, from the results of the tests that show it: those of real parts too, where the parts
// are here. Where they are not, a line says so; with CI set, that is a failure. With TEST_REPORTS set to a folder, the
// results of suites that have just run are read from there instead of running them again.
import { type Case, cases, missingEvidence, shows } from './cases.ts'
import { type Result, type Test, listTests, readReports, realSuiteOf, runFiles } from './suites.ts'

const isCi = process.env['CI'] !== undefined
const reports = process.env['TEST_REPORTS']
const listed = listTests()
const needed = listed.filter((test) => cases.some((one) => shows(one, test)))
const runnable = needed.filter(({ file }) => realSuiteOf(file)?.isThere() !== false)
const results = reports === undefined ? runFiles([...new Set(runnable.map(({ file }) => file))]) : readReports(reports)
const rows = cases.map((one) => row(one, listed, results))

printTable(['case', 'comes in', 'must come out', 'tests', 'of real parts', 'outcome'], rows)
for (const line of notes()) console.log(line)
const count = (outcome: string): number => rows.filter((cells) => cells[5] === outcome).length
const failed = rows.filter((cells) => isFailure(cells[5])).length
console.log(
  `${cases.length} cases: ${count('ok')} ok, ${count('shown in part')} in part, ${count('not shown here')} not shown here, ${failed} failed`,
)
console.log(`Tests  ${cases.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

function row(one: Case, all: readonly Test[], ran: readonly Result[]): readonly string[] {
  const mine = all.filter((test) => shows(one, test))
  const real = mine.filter(({ file }) => realSuiteOf(file) !== undefined)
  const done = ran.filter((test) => shows(one, test))
  const passed = done.filter(({ status }) => status === 'passed')
  const isReal = ({ file }: Test): boolean => realSuiteOf(file) !== undefined
  const cells = [one.id, one.input, one.outcome, `${passed.length}/${mine.length}`]
  const ofReal = real.length === 0 ? '' : `${passed.filter(isReal).length}/${real.length}`
  return [...cells, ofReal, verdictOf(one, mine.length, done, passed.length)]
}

/** What is named as evidence must be there, and must have run: a test that was skipped shows nothing. */
function verdictOf(one: Case, wanted: number, done: readonly Result[], passed: number): string {
  if (wanted === 0 || missingEvidence(one, listed).length > 0) return 'NO TEST'
  if (done.some(({ status }) => status === 'failed')) return 'FAILED'
  if (passed >= wanted) return 'ok'
  return passed > 0 ? 'shown in part' : 'not shown here'
}

function isFailure(outcome: string | undefined): boolean {
  return outcome === 'FAILED' || outcome === 'NO TEST' || (isCi && outcome !== 'ok')
}

function* notes(): Generator<string> {
  for (const one of cases)
    for (const evidence of missingEvidence(one, listed)) yield `${one.id}: there is no test "${evidence}".`
  const absent = needed.filter(({ file }) => realSuiteOf(file)?.isThere() === false)
  for (const part of new Set(absent.map(({ file }) => realSuiteOf(file)?.part))) {
    const mine = absent.filter(({ file }) => realSuiteOf(file)?.part === part)
    const ids = cases.filter((one) => mine.some((test) => shows(one, test))).map(({ id }) => id)
    const [first] = mine
    const command = realSuiteOf(first?.file ?? '')?.command ?? ''
    yield `Not run here: ${mine.length} tests of ${ids.join(', ')}: there is no ${part}. CI runs them; so does \`pnpm ${command}\` where there is one.`
  }
}

function printTable(head: readonly string[], body: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  console.log([line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...body.map(line)].join('\n'))
}
