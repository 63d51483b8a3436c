// Feeds hostile bytes to everything that reads what others wrote: pnpm fuzz --runs 1000000 --seed 7 --target YAML
// A tenth by fast-check, which makes what it finds small; the rest by a fuzzer that keeps what takes a new branch.
// --save writes the inputs that were kept to scripts/fuzz/corpora, where the next run begins.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { seededRandom } from '@gitops-sdk/core'
import { type Guide, createGuide } from './guided.ts'
import { createMutator } from './mutate.ts'
import { type FuzzTarget, fuzzTargets } from './targets.ts'

/** Longer than this for one small input is a hang. */
const SLOW_MS = 1_000
/** How much of what was kept is written down for a target. */
const MAX_SAVED = 32
const MAX_SAVED_BYTES = 256

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const chosen = fuzzTargets.filter(({ name }) => values.target === undefined || name === values.target)
const shares = chosen.reduce((sum, { share }) => sum + share, 0)
let total = 0
let failures = 0

for (const target of chosen) {
  const runs = Math.ceil((Number(values.runs) * target.share) / shares)
  const started = performance.now()
  const checked = await runProperty(target, Math.ceil(runs / 10))
  const guide = await createGuide()
  const kept = await runGuided(target, guide, runs - checked)
  const seconds = (performance.now() - started) / 1000
  total += runs
  console.log(
    `${target.name.padEnd(22)} ${String(runs).padStart(8)} executions (${checked} fast-check, ${runs - checked} guided), ${guide.taken()} branches, ${kept} inputs kept, ${Math.round(runs / seconds)}/s`,
  )
}
console.log(`${total} executions of ${chosen.length} targets with seed ${seed}: ${failures} failures`)
process.exit(failures > 0 ? 1 : 0)

/** Any bytes, and known ones with any bytes in them. Returns how many were tried. */
async function runProperty(target: FuzzTarget, runs: number): Promise<number> {
  const corpus = corpusOf(target)
  const known = fc
    .tuple(fc.constantFrom(...corpus), fc.nat(), fc.nat(16), fc.uint8Array({ maxLength: 32 }))
    .map(([bytes, place, removed, added]) => {
      const at = place % (bytes.length + 1)
      return Uint8Array.from(Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]))
    })
  const hostile = fc.oneof(fc.uint8Array({ maxLength: 512 }), known, known)
  const holds = fc.asyncProperty(hostile, async (bytes) => {
    const problem = await tryOne(target, bytes)
    if (problem instanceof Error) throw problem
  })
  const { failed, counterexample, numRuns } = await fc.check(holds, { numRuns: runs, seed })
  if (failed && counterexample !== null) report(target, counterexample[0], await tryOne(target, counterexample[0]))
  return Math.min(numRuns, runs)
}

/** Changes what is kept; keeps what takes a branch that was not taken before. Returns how much that was. */
async function runGuided(target: FuzzTarget, guide: Guide, runs: number): Promise<number> {
  const mutate = createMutator(seededRandom(seed))
  const guided = guide.targets.find(({ name }) => name === target.name) ?? target
  const pool = [...corpusOf(target)]
  const first = pool.length
  for (let run = 0; run < runs && failures < 20; run++) {
    const bytes = run < first ? (pool[run] ?? new Uint8Array()) : mutate(pool, target.words)
    guide.reset()
    const problem = await tryOne(guided, bytes)
    if (problem instanceof Error) report(target, bytes, problem)
    else if (guide.isNew() && run >= first) pool.push(bytes)
  }
  const kept = pool.slice(first)
  if (values.save) save(target, kept)
  return kept.length
}

/** What a target begins with: valid inputs from its code, and what earlier runs kept. */
function corpusOf(target: FuzzTarget): readonly Uint8Array[] {
  const path = corpusFile(target)
  const lines = existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : []
  return [...target.corpus, ...lines.map((line) => Uint8Array.from(Buffer.from(line, 'base64')))]
}

function save(target: FuzzTarget, kept: readonly Uint8Array[]): void {
  const before = corpusOf(target).slice(target.corpus.length)
  const small = [...before, ...kept.filter(({ length }) => length <= MAX_SAVED_BYTES)].slice(0, MAX_SAVED)
  if (small.length === 0) return
  mkdirSync(new URL('./corpora/', import.meta.url), { recursive: true })
  writeFileSync(corpusFile(target), `${small.map((bytes) => Buffer.from(bytes).toString('base64')).join('\n')}\n`)
}

function corpusFile({ name }: FuzzTarget): URL {
  return new URL(`./corpora/${name.replaceAll(/[^A-Za-z0-9]+/g, '-')}.txt`, import.meta.url)
}

/** An error for what must not happen; `refused` and nothing are both well. */
async function tryOne(target: FuzzTarget, bytes: Uint8Array): Promise<Error | undefined> {
  const started = performance.now()
  const problem = await outcome(target, bytes)
  const ms = performance.now() - started
  if (ms > SLOW_MS) return new Error(`took ${Math.round(ms)} ms`)
  if (Object.keys(Object.prototype).length > 0) return new Error('Object.prototype was changed')
  return problem
}

async function outcome(target: FuzzTarget, bytes: Uint8Array): Promise<Error | undefined> {
  try {
    await target.run(bytes)
    return undefined
  } catch (error) {
    // Instrumented, the library is another copy with a class of its own.
    const code = error instanceof Error && error.name === 'GitOpsError' && 'code' in error ? error.code : 'INTERNAL'
    if (code !== 'INTERNAL') return undefined
    return error instanceof Error ? error : new Error(String(error))
  }
}

function report(target: FuzzTarget, bytes: Uint8Array, problem: Error | undefined): void {
  failures++
  console.error(`${target.name}: ${problem?.stack ?? 'it failed once, and not again'}`)
  console.error(`  input (Base64): ${Buffer.from(bytes).toString('base64')}`)
}
