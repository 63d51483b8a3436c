import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { runInThisContext } from 'node:vm'
import { build } from 'esbuild'
import { type Instrumented, instrument } from './coverage.ts'
import type { FuzzTarget } from './targets.ts'

/** The targets in a copy of the library that counts its branches. */
export interface Guide {
  readonly targets: readonly FuzzTarget[]
  readonly branches: number
  /** Forgets what was taken in this run. */
  reset(): void
  /** Whether this run took a branch that none before it took, or another number of times. */
  isNew(): boolean
  /** Branches that any run took. */
  taken(): number
}

let instrumenting: Promise<Instrumented> | undefined

/** Bundles everything the targets read with, instrumented. Takes a few seconds. */
export async function createGuide(): Promise<Guide> {
  instrumenting ??= bundle().then(instrument)
  const instrumented = await instrumenting
  const counts = new Uint8Array(instrumented.branches)
  const seen = new Uint8Array(instrumented.branches)
  return {
    targets: load(instrumented, counts),
    branches: instrumented.branches,
    reset: () => void counts.fill(0),
    isNew: () => {
      let isNew = false
      for (let index = 0; index < counts.length; index++) {
        const bit = counts[index] === 0 ? 0 : bucketOf(counts[index] ?? 0)
        if (bit === 0 || ((seen[index] ?? 0) & bit) !== 0) continue
        seen[index] = (seen[index] ?? 0) | bit
        isNew = true
      }
      return isNew
    },
    taken: () => seen.reduce((sum, bits) => sum + (bits === 0 ? 0 : 1), 0),
  }
}

/** One bit for about how often: the tenth time through a loop is not news. */
function bucketOf(count: number): number {
  return 1 << (count > 127 ? 7 : count > 31 ? 6 : count > 15 ? 5 : count > 7 ? 4 : count > 3 ? 3 : count - 1)
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./targets.ts', import.meta.url))],
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
