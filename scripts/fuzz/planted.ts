import type { FuzzTarget } from './targets.ts'

/** A target with a mistake behind three conditions: the test of the fuzzer itself. */
export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'planted',
    share: 1,
    corpus: [new Uint8Array(8)],
    words: [],
    run: ([first, second, third]) => {
      if (first !== 0x67) return
      if (second !== 0x69) return
      if (third === 0x74) throw new TypeError('the planted mistake')
    },
  },
]
