import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { runInThisContext } from 'node:vm'
import { build } from 'esbuild'
import { type Instrumented, instrument } from './coverage.ts'
import type { FuzzTarget } from './targets.ts'

/** The targets in a copy of the library that counts its branches. */
export interface Guide {
  /** The copy of a target that counts. */
  instrumented(target: FuzzTarget): FuzzTarget
  /** Forgets what was taken in this run. */
  reset(): void
  /** Whether this run took a branch that none before it took, or another number of times. */
  isNew(): boolean
  /** Branches that any run took. */
  taken(): number
  /** What this run took: a number for each branch together with about how often. */
  features(): readonly number[]
}

/** Where the targets are. */
const ownTargets: URL = new URL('./targets.ts', import.meta.url)
const instrumenting = new Map<string, Promise<Instrumented>>()

/** Bundles what the targets of a file (`fuzzTargets`) read with, instrumented. Takes a few seconds, once. */
export async function createGuide(file: URL = ownTargets): Promise<Guide> {
  const started = instrumenting.get(file.href) ?? bundle(file).then(instrument)
  instrumenting.set(file.href, started)
  const instrumented = await started
  const counts = new Uint8Array(Math.ceil(instrumented.branches / WORD_BYTES) * WORD_BYTES)
  const seen = new Uint8Array(counts.length)
  const targets = load(instrumented, counts)
  return {
    instrumented: (target) => targets.find(({ name }) => name === target.name) ?? target,
    reset: () => void counts.fill(0),
    isNew: () => {
      let isNew = false
      for (const index of takenOf(counts)) {
        const bit = 1 << bucketOf(counts[index] ?? 0)
        if (((seen[index] ?? 0) & bit) !== 0) continue
        seen[index] = (seen[index] ?? 0) | bit
        isNew = true
      }
      return isNew
    },
    taken: () => seen.reduce((sum, bits) => sum + (bits === 0 ? 0 : 1), 0),
    features: () => takenOf(counts).map((index) => index * 8 + bucketOf(counts[index] ?? 0)),
  }
}

const WORD_BYTES = 4

/** The branches that were taken. Nearly none is in one run, which is why they are looked through by fours. */
function takenOf(counts: Uint8Array): number[] {
  const words = new Uint32Array(counts.buffer)
  const taken: number[] = []
  for (let word = 0; word < words.length; word++) {
    if (words[word] === 0) continue
    for (let index = word * WORD_BYTES; index < (word + 1) * WORD_BYTES; index++)
      if (counts[index] !== 0) taken.push(index)
  }
  return taken
}

/** About how often, from 0 to 7: the tenth time through a loop is not news. */
function bucketOf(count: number): number {
  return count > 127 ? 7 : count > 31 ? 6 : count > 15 ? 5 : count > 7 ? 4 : count > 3 ? 3 : count - 1
}

async function bundle(file: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(file)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    conditions: ['@gitops-sdk/source'],
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

function load({ code }: Instrumented, counts: Uint8Array): readonly FuzzTarget[] {
  const module: { exports: { fuzzTargets?: readonly FuzzTarget[] } } = { exports: {} }
  const run: unknown = runInThisContext(`(function (module, exports, require, __taken) {${code}\n})`)
  if (typeof run === 'function') run(module, module.exports, createRequire(import.meta.url), counts)
  return module.exports.fuzzTargets ?? []
}
