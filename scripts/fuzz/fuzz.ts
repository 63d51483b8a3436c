// Feeds hostile bytes to everything that reads what others wrote.
//   pnpm fuzz --runs 1000000                  all targets together, the fast ones more often
//   pnpm fuzz --runs 1000000 --each --seed 7  each target so often
//   pnpm fuzz --runs 1000000 --target YAML
// --save writes the inputs that are worth keeping to scripts/fuzz/corpora, where the next run begins;
// --record adds the executions to scripts/fuzz/executions.json.
import { parseArgs } from 'node:util'
import { attempt } from './attempt.ts'
import { saveCorpus, savedCorpus } from './corpus.ts'
import { createGuide } from './guided.ts'
import { remember } from './record.ts'
import { type Failure, search } from './search.ts'
import { type FuzzTarget, fuzzTargets } from './targets.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    each: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    save: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const seed = wholeNumber('seed')
const runs = wholeNumber('runs')
const chosen = fuzzTargets.filter(({ name }) => values.target === undefined || name === values.target)
if (chosen.length === 0)
  fail(`There is no target "${values.target}". There are: ${fuzzTargets.map(({ name }) => name).join(', ')}.`)
const shares = chosen.reduce((sum, { share }) => sum + share, 0)

// Most inputs end in an error, and most of its cost is a stack that nobody reads.
Error.stackTraceLimit = 0
printRow(['target', 'executions', 'branches', 'kept', 'saved', 'failures', 'per second'])
const totals = { executions: 0, failures: 0 }
for (const target of chosen) {
  const found = await tryTarget(target, values.each ? runs : Math.ceil((runs * target.share) / shares))
  totals.executions += found.executions
  totals.failures += found.failures
}
console.log(
  `${totals.executions} executions of ${chosen.length} targets with seed ${seed}: ${totals.failures} failures`,
)
process.exit(totals.failures > 0 ? 1 : 0)

async function tryTarget(target: FuzzTarget, targetRuns: number): Promise<typeof totals> {
  const guide = await createGuide()
  const saved = savedCorpus(target)
  const startedMs = performance.now()
  const { executions, branches, kept, failures } = await search(target, guide, { runs: targetRuns, seed, saved })
  const seconds = (performance.now() - startedMs) / 1000
  for (const failure of failures) await report(target, failure)
  if (values.save) await saveCorpus(guide.instrumented(target), guide, [...target.corpus, ...saved, ...kept])
  const counts = { executions, branches, failures: failures.length }
  if (values.record) remember({ target: target.name, seed, ...counts, date: new Date().toISOString().slice(0, 10) })
  const inCorpus = target.corpus.length + savedCorpus(target).length
  printRow([
    target.name,
    ...[executions, branches, kept.length, inCorpus, failures.length, executions / seconds].map(whole),
  ])
  return counts
}

/** Tries it once more, for a stack in the code as it is written. */
async function report(target: FuzzTarget, { bytes, problem }: Failure): Promise<void> {
  Error.stackTraceLimit = 20
  const again = await attempt(target, bytes)
  Error.stackTraceLimit = 0
  console.error(`${target.name}: ${problem.message}\n${again?.stack ?? 'A second time it did not happen.'}`)
  console.error(`  input (Base64): ${Buffer.from(bytes).toString('base64')}`)
}

function printRow([name = '', ...cells]: readonly string[]): void {
  console.log([name.padEnd(22), ...cells.map((cell) => cell.padStart(11))].join(''))
}

function whole(count: number): string {
  return String(Math.round(count))
}

function wholeNumber(name: 'runs' | 'seed'): number {
  const value = Number(values[name])
  return Number.isSafeInteger(value) && value >= 0 ? value : fail(`--${name} is a whole number, not "${values[name]}".`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
