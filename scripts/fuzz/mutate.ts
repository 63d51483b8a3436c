import type { Random } from '@gitops-sdk/core'

/** Makes hostile bytes out of known ones. The same random numbers give the same bytes. */
export type Mutate = (corpus: readonly Uint8Array[], words: readonly string[]) => Uint8Array

const empty = new Uint8Array()
const edges = [0, 1, 0x0a, 0x20, 0x22, 0x2f, 0x5b, 0x7b, 0x7f, 0x80, 0xbf, 0xc0, 0xed, 0xfe, 0xff]

/** How long one gets where its target says nothing. */
const MAX_BYTES = 4_096

/** A mutator over `random`: one of the corpus, changed one to eight times, mostly few: much breaks what others kept it for. */
export function createMutator(random: Random, maxBytes: number = MAX_BYTES): Mutate {
  const below = (limit: number): number => Math.floor(random.next() * limit)
  const pick = <T>(list: readonly T[]): T | undefined => list[below(list.length)]
  return (corpus, words) => {
    // Often the smaller of two: small ones are tried faster, and more of what is changed in them matters.
    const one = pick(corpus) ?? empty
    const other = below(2) === 0 ? (pick(corpus) ?? empty) : one
    let bytes = Uint8Array.from(one.length < other.length ? one : other)
    for (let left = 1 + below(1 + below(8)); left > 0; left--) bytes = change(bytes, corpus, words)
    return bytes.subarray(0, maxBytes)
  }

  function change(bytes: Uint8Array, corpus: readonly Uint8Array[], words: readonly string[]): Uint8Array<ArrayBuffer> {
    const at = below(bytes.length + 1)
    const end = at + below(Math.min(32, bytes.length - at + 1))
    const rest = bytes.subarray(end)
    switch (below(8)) {
      case 0: // one bit
        return join(
          bytes.subarray(0, at),
          at < bytes.length ? [(bytes[at] ?? 0) ^ (1 << below(8))] : [],
          bytes.subarray(at + 1),
        )
      case 1: // a byte at the edge of something
        return join(bytes.subarray(0, at), [pick(edges) ?? 0], rest)
      case 2: // another byte
        return join(bytes.subarray(0, at), [below(256)], bytes.subarray(at + 1))
      case 3: // a piece taken out
        return join(bytes.subarray(0, at), rest)
      case 4: // a piece many times
        return join(bytes.subarray(0, end), ...Array.from({ length: below(64) }, () => bytes.subarray(at, end)), rest)
      case 5: // a piece of another
        return join(bytes.subarray(0, at), pieceOf(pick(corpus) ?? bytes), rest)
      case 6: // any bytes
        return join(
          bytes.subarray(0, at),
          Array.from({ length: below(8) }, () => below(256)),
          rest,
        )
      default: // a word that means something here
        return join(bytes.subarray(0, at), new TextEncoder().encode(pick(words) ?? ''), rest)
    }
  }

  function pieceOf(other: Uint8Array): Uint8Array {
    const from = below(other.length)
    return other.subarray(from, from + below(64))
  }
}

function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Buffer.concat(parts.map((part) => (part instanceof Uint8Array ? part : Uint8Array.from(part))))
}
