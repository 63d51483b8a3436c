// Feeds hostile bytes to everything that reads what others wrote: pnpm fuzz --runs 1000000 --seed 7 --target YAML
import { parseArgs } from 'node:util'
import { GitOpsError, seededRandom } from '@gitops-sdk/core'
import { createMutator } from './mutate.ts'
import { type FuzzTarget, fuzzTargets } from './targets.ts'

/** Longer than this for one small input is a hang. */
const SLOW_MS = 1_000

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
  },
})
const chosen = fuzzTargets.filter(({ name }) => values.target === undefined || name === values.target)
const shares = chosen.reduce((sum, { share }) => sum + share, 0)
let total = 0
let failures = 0

for (const target of chosen) {
  const runs = Math.ceil((Number(values.runs) * target.share) / shares)
  const started = performance.now()
  const accepted = await fuzz(target, runs)
  const seconds = (performance.now() - started) / 1000
  total += runs
  console.log(
    `${target.name.padEnd(22)} ${String(runs).padStart(9)} executions  ${String(accepted).padStart(8)} accepted  ${Math.round(runs / seconds)}/s`,
  )
}
console.log(`${total} executions of ${chosen.length} targets with seed ${values.seed}: ${failures} failures`)
process.exit(failures > 0 ? 1 : 0)

/** Runs one target; returns how many inputs it took without complaint. */
async function fuzz(target: FuzzTarget, runs: number): Promise<number> {
  const mutate = createMutator(seededRandom(Number(values.seed)))
  let accepted = 0
  for (let run = 0; run < runs && failures < 20; run++) {
    const bytes =
      run < target.corpus.length ? (target.corpus[run] ?? new Uint8Array()) : mutate(target.corpus, target.words)
    const problem = await tryOne(target, bytes)
    if (problem === undefined) accepted++
    else if (problem !== 'refused') report(target, bytes, problem)
  }
  return accepted
}

async function tryOne(target: FuzzTarget, bytes: Uint8Array): Promise<unknown> {
  const started = performance.now()
  const problem = await outcome(target, bytes)
  const ms = performance.now() - started
  if (ms > SLOW_MS) return new Error(`took ${Math.round(ms)} ms`)
  if (Object.keys(Object.prototype).length > 0) return new Error('Object.prototype was changed')
  return problem
}

async function outcome(target: FuzzTarget, bytes: Uint8Array): Promise<unknown> {
  try {
    await target.run(bytes)
    return undefined
  } catch (error) {
    return error instanceof GitOpsError && error.code !== 'INTERNAL' ? 'refused' : error
  }
}

function report(target: FuzzTarget, bytes: Uint8Array, problem: unknown): void {
  failures++
  console.error(`${target.name}: ${problem instanceof Error ? (problem.stack ?? problem.message) : String(problem)}`)
  console.error(`  input (Base64): ${Buffer.from(bytes).toString('base64')}`)
}
