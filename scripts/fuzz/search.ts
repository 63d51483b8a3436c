import fc from 'fast-check'
import { seededRandom } from '@gitops-sdk/core'
import { timedAttempt } from './attempt.ts'
import type { Guide } from './guided.ts'
import { createMutator } from './mutate.ts'
import type { FuzzTarget } from './targets.ts'

/** How long a target is tried, and where that begins. */
export interface SearchOptions {
  readonly runs: number
  readonly seed: number
  /** What earlier runs kept. */
  readonly saved: readonly Uint8Array[]
}

/** What came of it. */
export interface Found {
  readonly executions: number
  /** Branches of the library that were taken. */
  readonly branches: number
  /** Inputs that took a branch that none before took. */
  readonly kept: readonly Uint8Array[]
  readonly failures: readonly Failure[]
}

/** An input that did what must not happen. */
export interface Failure {
  readonly bytes: Uint8Array
  readonly problem: Error
}

/** After so many the rest would say the same. */
const MAX_FAILURES = 20

/** Of all runs. Values of fast-check cost more than most of what is tried with them. */
const PROPERTY_PART = 1 / 50

/**
 * Tries a target: some of the runs by fast-check, which makes what it finds small, the rest by changing what is
 * kept, and keeping what takes a new branch. The same seed gives the same run.
 */
export async function search(target: FuzzTarget, guide: Guide, options: SearchOptions): Promise<Found> {
  const corpus = [...target.corpus, ...options.saved]
  const checked = await check(target, corpus, { ...options, runs: Math.ceil(options.runs * PROPERTY_PART) })
  const guided = await follow(target, guide, corpus, { ...options, runs: options.runs - checked.executions })
  return {
    executions: checked.executions + guided.executions,
    branches: guide.taken(),
    kept: guided.kept,
    failures: [...checked.failures, ...guided.failures],
  }
}

type Part = Omit<Found, 'branches'>

/** Any bytes, and known ones with any bytes in them. */
async function check(target: FuzzTarget, corpus: readonly Uint8Array[], { runs, seed }: SearchOptions): Promise<Part> {
  const known = fc
    .tuple(fc.constantFrom(...corpus), fc.nat(), fc.nat(16), fc.uint8Array({ maxLength: 32 }))
    .map(([bytes, place, removed, added]) => {
      const at = place % (bytes.length + 1)
      return Uint8Array.from(Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]))
    })
  const hostile = fc.oneof(fc.uint8Array({ maxLength: 512 }), known, known)
  const holds = fc.asyncProperty(hostile, async (bytes) => {
    const problem = await timedAttempt(target, bytes)
    if (problem !== undefined) throw problem
  })
  const { counterexample, numRuns } = await fc.check(holds, { numRuns: runs, seed })
  return {
    executions: numRuns,
    kept: [],
    failures: counterexample === null ? [] : [await again(target, counterexample[0])],
  }
}

async function again(target: FuzzTarget, bytes: Uint8Array): Promise<Failure> {
  return { bytes, problem: (await timedAttempt(target, bytes)) ?? new Error('it failed once, and not again') }
}

async function follow(
  target: FuzzTarget,
  guide: Guide,
  corpus: readonly Uint8Array[],
  { runs, seed }: SearchOptions,
): Promise<Part> {
  const mutate = createMutator(seededRandom(seed), target.maxBytes)
  const guided = guide.instrumented(target)
  const pool = [...corpus]
  const failures: Failure[] = []
  let executions = 0
  for (; executions < runs && failures.length < MAX_FAILURES; executions++) {
    const bytes = corpus[executions] ?? mutate(pool, target.words)
    guide.reset()
    const problem = await timedAttempt(guided, bytes)
    if (problem !== undefined) failures.push({ bytes, problem })
    else if (guide.isNew() && executions >= corpus.length) pool.push(bytes)
  }
  return { executions, kept: pool.slice(corpus.length), failures }
}
