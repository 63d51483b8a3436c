import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { attempt } from './attempt.ts'
import type { Guide } from './guided.ts'
import type { FuzzTarget } from './targets.ts'

const folder = new URL('./corpora/', import.meta.url)
/** One input that is written down, where the seeds are not larger. */
const MAX_INPUT_BYTES = 512
/** All of a target, before Base64. */
const MAX_CORPUS_BYTES = 9_000

/** What earlier runs kept of a target, one input in Base64 on each line. */
export function savedCorpus(target: Pick<FuzzTarget, 'name'>): readonly Uint8Array[] {
  const file = fileOf(target)
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => Uint8Array.from(Buffer.from(line, 'base64')))
}

/** Writes down what of `inputs` is worth it: the small ones that together take the most branches. */
export async function saveCorpus(target: FuzzTarget, guide: Guide, inputs: readonly Uint8Array[]): Promise<void> {
  const chosen = await distil(target, guide, inputs)
  mkdirSync(folder, { recursive: true })
  const lines = chosen.map((bytes) => `${Buffer.from(bytes).toString('base64')}\n`)
  writeFileSync(fileOf(target), lines.join(''))
}

/** The name of the file of a target. */
export function fileNameOf({ name }: Pick<FuzzTarget, 'name'>): string {
  return `${name.replaceAll(/[^A-Za-z0-9]+/g, '-')}.txt`
}

function fileOf(target: Pick<FuzzTarget, 'name'>): URL {
  return new URL(fileNameOf(target), folder)
}

/** Takes the input that adds the most, again and again, until nothing is added or the room is used up. */
async function distil(target: FuzzTarget, guide: Guide, inputs: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const maxBytes = Math.max(MAX_INPUT_BYTES, ...target.corpus.map(({ length }) => length))
  const small = inputs.filter(({ length }) => length > 0 && length <= maxBytes)
  const left = new Map<Uint8Array, ReadonlySet<number>>()
  for (const bytes of small.toSorted((a, b) => a.length - b.length))
    left.set(bytes, await takenBy(target, guide, bytes))
  const chosen: Uint8Array[] = []
  const covered = new Set<number>()
  for (let room = MAX_CORPUS_BYTES; room > 0;) {
    const best = bestOf(left, covered, room)
    if (best === undefined) break
    for (const feature of left.get(best) ?? []) covered.add(feature)
    left.delete(best)
    chosen.push(best)
    room -= best.length
  }
  return chosen
}

async function takenBy(target: FuzzTarget, guide: Guide, bytes: Uint8Array): Promise<ReadonlySet<number>> {
  guide.reset()
  await attempt(target, bytes)
  return new Set(guide.features())
}

function bestOf(
  inputs: ReadonlyMap<Uint8Array, ReadonlySet<number>>,
  covered: ReadonlySet<number>,
  room: number,
): Uint8Array | undefined {
  let best: Uint8Array | undefined
  let most = 0
  for (const [bytes, features] of inputs) {
    if (bytes.length > room || features.size <= most) continue
    let added = 0
    for (const feature of features) if (!covered.has(feature)) added++
    if (added > most) [best, most] = [bytes, added]
  }
  return best
}
