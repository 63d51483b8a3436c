import jsonPatch from 'fast-json-patch'
import { diff as jsonDiffTs } from 'json-diff-ts'
import microdiff from 'microdiff'
import { diffJson } from '@gitops-sdk/core'
import { type BenchmarkOptions, type Row, compare, count, elapsedMs, growthRow, paired } from '../harness.ts'
import { kubernetesObjects } from '../shapes/generate.ts'
import { type Shape, shapes } from './shapes.ts'

type Peer = readonly [name: string, compare: (shape: Shape) => unknown]

const peers: readonly Peer[] = [
  ['fast-json-patch', ({ before, after }) => jsonPatch.compare(before, after)],
  ['microdiff', ({ before, after }) => microdiff(before as Record<string, unknown>, after as Record<string, unknown>)],
  ['json-diff-ts', ({ before, after }) => jsonDiffTs(before, after)],
]

/** `diffJson` against the libraries people use, on single shapes and on many realistic objects. */
export async function run(options: BenchmarkOptions): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const shape of shapes) {
    for (const peer of peers) rows.push(await against(shape, peer, options))
    rows.push(count(`differences found: ${shape.name}`, diffJson(shape.before, shape.after).length, 'differences'))
  }
  for (const peer of peers) rows.push(await realistic(peer, options))
  return [...rows, ...(await growth(options))]
}

function against(shape: Shape, [peer, theirs]: Peer, { pairs, say }: BenchmarkOptions): Promise<Row> {
  say(`${shape.name} against ${peer}`)
  const often = (work: () => unknown) => async (): Promise<void> => {
    for (let time = 0; time < 2_000; time++) work()
  }
  return compare({
    name: `${shape.name}, 2,000 times`,
    peer,
    pairs,
    warmup: 2,
    ours: often(() => diffJson(shape.before, shape.after)),
    theirs: often(() => theirs(shape)),
  })
}

/** Objects as a cluster holds them, each with one label changed. */
function changedObjects(size: number): readonly Shape[] {
  return Array.from(kubernetesObjects(size), ({ body: before }, index) => ({
    name: '',
    before,
    after: { ...structuredClone(before), changed: String(index) },
  }))
}

function realistic([peer, theirs]: Peer, { pairs, say }: BenchmarkOptions): Promise<Row> {
  say(`10,000 objects against ${peer}`)
  const objects = changedObjects(10_000)
  const all = (work: (shape: Shape) => unknown) => async (): Promise<void> => objects.forEach((each) => void work(each))
  return compare({
    name: '10,000 realistic objects, one member of each changed',
    peer,
    pairs,
    ours: all(({ before, after }) => diffJson(before, after)),
    theirs: all(theirs),
    atMost: 1,
  })
}

/** Nothing but the number of objects differs: what grows faster than they do is the cost of reaching memory, for a peer too. */
async function growth({ pairs, say }: BenchmarkOptions): Promise<Row[]> {
  // Fewer would stay in the caches of the processor, which measures those.
  const sizes = [1_000, 10_000, 100_000]
  const rows: Row[] = []
  for (const size of sizes) {
    say(`${size} objects`)
    const objects = changedObjects(size)
    const repeats = Math.max(1, 10_000 / size)
    const onceMs = async (work: (shape: Shape) => unknown): Promise<number> => {
      const all = async (): Promise<void> => {
        for (let time = 0; time < repeats; time++) for (const each of objects) work(each)
      }
      return (await elapsedMs(all)) / repeats
    }
    const [ours, theirs]: [number[], number[]] = [[], []]
    for (let round = 0; round < pairs + 2; round++) {
      ours.push(await onceMs(({ before, after }) => diffJson(before, after)))
      theirs.push(await onceMs(({ before, after }) => jsonPatch.compare(before, after)))
    }
    rows.push(paired({ name: `${size} realistic objects`, peer: 'fast-json-patch' }, ours.slice(2), theirs.slice(2)))
  }
  return [...rows, growthRow('comparing', sizes, rows, 1.05)]
}
