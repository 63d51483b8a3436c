import { isDeepStrictEqual } from 'node:util'
import { refKey } from '@gitops-sdk/core'
import {
  type BenchmarkOptions,
  type Row,
  compare,
  count,
  elapsedMs,
  figure,
  growthExponent,
  growthRow,
  paired,
} from '../harness.ts'
import { createPlatform } from '../shapes/platform.ts'
import { kubernetesObjects, terraformInstances } from '../shapes/generate.ts'
import { type AlignedApplication, aligned, planOf, withOneChange } from '../shapes/states.ts'

const sizes = [100, 1_000, 10_000, 100_000]

/** What planning costs when nothing changed, and when one of many did. */
export async function run(options: BenchmarkOptions): Promise<readonly Row[]> {
  return [
    ...(await unchanged(options)),
    ...(await oneFile(options)),
    ...(await changed(options)),
    ...(await growth(options)),
  ]
}

/** A whole run of the reconciler over an application in which nothing changed: nothing is planned at all. */
async function unchanged({ pairs, say }: BenchmarkOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const size of sizes) {
    say(`reconciling ${size} resources of which none changed`)
    await using platform = createPlatform({ applications: 1, resources: size })
    await platform.reconcile()
    const times: number[] = []
    for (let round = 0; round < pairs * 10 + 1; round++) times.push(await elapsedMs(platform.reconcile))
    const goal = size === 10_000 ? { goal: '≤ 5 ms', reached: figure(times.slice(1)).median <= 5 } : {}
    rows.push({ name: `run with nothing new, ${size} resources`, unit: 'ms', ours: figure(times.slice(1)), ...goal })
  }
  const medians = rows.map(({ ours }) => ours.median)
  const exponent = growthExponent(sizes, medians)
  return [...rows, count('growth of a run with nothing new (0 is flat)', exponent, 'exponent', 0.2)]
}

/** A whole run of the reconciler after a commit that changed one file: declared, observed, planned, applied, read back, recorded. */
async function oneFile({ pairs, say }: BenchmarkOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const size of sizes.slice(0, 3)) {
    say(`reconciling ${size} resources after a commit of one file`)
    await using platform = createPlatform({ applications: 1, resources: size })
    await platform.reconcile()
    const times: number[] = []
    for (let round = 0; round < pairs * 5 + 5; round++) {
      const before = platform.writes()
      platform.commit()
      times.push(await elapsedMs(platform.reconcile))
      expectChanges(platform.writes() - before, 1)
    }
    rows.push({ name: `run after a commit of one file, ${size} resources`, unit: 'ms', ours: figure(times.slice(5)) })
  }
  return [...rows, growthRow('a run after a commit of one file', sizes.slice(0, 3), rows, 1.05)]
}

async function changed({ pairs, say }: BenchmarkOptions): Promise<Row[]> {
  const rows: Row[] = []
  const shapes = [['Kubernetes', kubernetesObjects] as const, ['Terraform', terraformInstances] as const]
  for (const [name, objects] of shapes) {
    say(`planning one change of 10000 ${name} resources`)
    const before = aligned(objects(10_000))
    const after = withOneChange(before)
    const row = await compare({
      name: `plan one change of 10,000 resources, ${name} shapes`,
      peer: 'isDeepStrictEqual of everything',
      pairs,
      warmup: 3,
      ours: async () => expectChanges(planOf(after, before).changes.length, 1),
      theirs: async () => expectChanges(deepEqualAll(after), 1),
    })
    rows.push({ ...row, goal: '≤ 10 ms', reached: row.ours.median <= 10 })
  }
  return rows
}

/** What somebody writes who has no digests: compare everything with everything. */
function deepEqualAll({ desired, actual }: AlignedApplication): number {
  return desired.resources.filter(({ ref, body }) => !isDeepStrictEqual(body, actual.resources.get(refKey(ref))?.body))
    .length
}

/**
 * How a full plan grows, and how comparing everything does. In turn with the peer: a plan is made between other work, and a
 * hundred resources that nobody disturbs stay in the caches of the processor, which measures those.
 */
async function growth({ pairs, say }: BenchmarkOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const size of sizes) {
    say(`planning ${size} resources of which none changed`)
    const state = aligned(kubernetesObjects(size))
    const repeats = Math.max(1, Math.ceil(10_000 / size))
    const [ours, theirs]: [number[], number[]] = [[], []]
    for (let round = 0; round < pairs + 2; round++) {
      let [planMs, compareMs] = [0, 0]
      for (let time = 0; time < repeats; time++) {
        planMs += await elapsedMs(async () => expectChanges(planOf(state, state).changes.length, 0))
        compareMs += await elapsedMs(async () => expectChanges(deepEqualAll(state), 0))
      }
      ours.push(planMs / repeats)
      theirs.push(compareMs / repeats)
    }
    const pair = { name: `plan ${size} unchanged resources in full`, peer: 'isDeepStrictEqual of everything' }
    rows.push(paired(pair, ours.slice(2), theirs.slice(2)))
  }
  return [...rows, growthRow('a full plan', sizes, rows, 1.05)]
}

function expectChanges(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} changes were made, not ${wanted}.`)
}
