import jsonPatch from 'fast-json-patch'
import { diff as jsonDiffTs } from 'json-diff-ts'
import microdiff from 'microdiff'
import {
  actualState,
  createSeal,
  desiredState,
  diffJson,
  type DesiredState,
  planByDiff,
  type PlanRequest,
  refKey,
  resource,
} from '@gitops-sdk/core'
import { type BenchmarkOptions, type Row, compare, count, elapsedMs, figure, growthExponent } from '../harness.ts'
import { type Shape, shapes } from './shapes.ts'

type Peer = readonly [name: string, compare: (shape: Shape) => unknown]

const peers: readonly Peer[] = [
  ['fast-json-patch', ({ before, after }) => jsonPatch.compare(before, after)],
  ['microdiff', ({ before, after }) => microdiff(before as Record<string, unknown>, after as Record<string, unknown>)],
  ['json-diff-ts', ({ before, after }) => jsonDiffTs(before, after)],
]

/** `diffJson` against the libraries people use, and what planning costs when nothing changed. */
export async function run(options: BenchmarkOptions): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const shape of shapes) {
    for (const peer of peers) rows.push(await against(shape, peer, options))
    rows.push(count(`differences found: ${shape.name}`, diffJson(shape.before, shape.after).length, 'differences'))
  }
  return [...rows, ...(await planning(options))]
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

async function planning({ pairs, say }: BenchmarkOptions): Promise<Row[]> {
  const sizes = [1_000, 10_000, 100_000]
  const rows: Row[] = []
  for (const size of sizes) {
    say(`planning ${size} resources of which none changed`)
    const desired = stateOf(size)
    const times: number[] = []
    for (let round = 0; round < pairs + 1; round++) times.push(await elapsedMs(async () => planUnchanged(desired)))
    rows.push({ name: `plan ${size} unchanged resources`, unit: 'ms', ours: figure(times.slice(1)) })
  }
  const exponent = growthExponent(
    sizes,
    rows.map(({ ours }) => ours.median),
  )
  return [...rows, count('growth of planning with size (1 is linear)', exponent, 'exponent', 1.3)]
}

function stateOf(size: number): DesiredState {
  const { before: body } = shapes[0]!
  const digest = resource({ ref: { kind: 'x', name: 'x' }, body }).digest
  const all = Array.from({ length: size }, (_, index) => ({
    ref: { kind: 'Deployment', namespace: `ns${index % 50}`, name: `web-${index}` },
    body,
    digest,
  }))
  return desiredState({ id: 'r1' }, all)
}

function planUnchanged(desired: DesiredState): void {
  const actual = actualState({
    resources: desired.resources.map(({ ref, body, digest }) => ({ ref, body, digest })),
    observedAt: 0,
    version: 'v',
  })
  const owned: PlanRequest['owned'] = new Map(
    desired.resources.map(({ ref, digest }) => [refKey(ref), { ref, state: 'applied', revision: 'r1', digest }]),
  )
  const seal = createSeal(new Uint8Array(32))
  const plan = planByDiff(desired, actual, {
    application: 'shop',
    mode: 'converge',
    owned,
    prune: true,
    previous: desired,
    ignore: [],
    seal,
  })
  if (plan.changes.length > 0) throw new Error('Something was planned although nothing changed.')
}
