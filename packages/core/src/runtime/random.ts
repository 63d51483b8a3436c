/** A source of randomness. Jitter and identifiers come from here, so that a seed replays a run. */
export interface Random {
  /** A number at or above 0 and below 1. */
  next(): number
}

/** The randomness of the machine. */
export const systemRandom: Random = { next: () => Math.random() }

/** The same numbers for the same seed (mulberry32). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return {
    next: () => {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}

/** An identifier of 20 lower-case hexadecimal digits. Unique enough for run ids; not a secret. */
export function randomId(random: Random): string {
  let id = ''
  while (id.length < 20)
    id += Math.floor(random.next() * 0x10000)
      .toString(16)
      .padStart(4, '0')
  return id
}
