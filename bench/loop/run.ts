import PQueue from 'p-queue'
import { refKey } from '@gitops-sdk/core'
import { decodeDocuments } from '@gitops-sdk/core/files'
import { memorySystem } from '@gitops-sdk/core/testing'
import { type BenchmarkOptions, type Row, compare, count, elapsedMs, growthExponent } from '../harness.ts'
import { createPlatform, filesOf } from '../shapes/platform.ts'
import { applyCarefully } from './careful-script.ts'

const applications = 1_000
const resources = 20

/** The first run of many applications, against the same writes with nothing around them. */
export async function run({ pairs, say }: BenchmarkOptions): Promise<readonly Row[]> {
  const name = `first run of ${applications} applications of ${resources} resources`
  say(name)
  const files = Array.from({ length: applications }, (_, seed) => filesOf(resources, seed))
  let platform = createPlatform({ applications, resources })
  const before = async (): Promise<void> => {
    await platform[Symbol.asyncDispose]()
    platform = createPlatform({ applications, resources })
  }
  const ours = async (): Promise<void> => {
    await platform.reconcile()
    if (platform.writes() !== applications * resources) throw new Error(`${platform.writes()} writes`)
  }
  const pair = { pairs, before, atMost: 1.3 }
  const bare = 'p-queue, the same files read and written, no reconciler'
  const careful = 'a script with digests, a record before and after, a look before and after, and health'
  const rows = [
    await compare({ ...pair, name, peer: bare, ours, theirs: () => writeAll(files) }),
    await compare({ ...pair, name, peer: careful, ours, theirs: () => writeCarefully(files) }),
  ]
  await platform[Symbol.asyncDispose]()
  const floor = { name: 'that script', peer: bare, pairs }
  rows.push(await compare({ ...floor, ours: () => writeCarefully(files), theirs: () => writeAll(files) }))
  return [...rows, ...(await growth(say))]
}

/** What a script does that keeps the promises of a first run. */
async function writeCarefully(files: readonly ReturnType<typeof filesOf>[]): Promise<void> {
  const writes = await applyCarefully(files)
  if (writes !== applications * resources) throw new Error(`${writes} writes`)
}

/** What a script does: every file is read, parsed and written, eight at a time for each application. */
async function writeAll(files: readonly ReturnType<typeof filesOf>[]): Promise<void> {
  let writes = 0
  const queues = files.map((one, index) => {
    const system = memorySystem()
    const queue = new PQueue({ concurrency: 8 })
    for (const [path, text] of Object.entries(one)) {
      void queue.add(async () => {
        const [document] = decodeDocuments(Buffer.from(text), path, { format: 'json' })
        const [kind = '', name = ''] = path.replace('.json', '').split('/')
        const ref = { kind, name }
        if (system.live.get(refKey(ref)) !== undefined) throw new Error('already there')
        system.put({ ref, body: document!.body, owner: `app-${index}` })
        writes++
      })
    }
    return queue.onIdle()
  })
  await Promise.all(queues)
  if (writes !== applications * resources) throw new Error(`${writes} writes`)
}

async function growth(say: BenchmarkOptions['say']): Promise<Row[]> {
  const sizes = [10, 100, 1_000]
  const times: number[] = []
  for (const size of sizes) {
    say(`first run of ${size} applications`)
    const rounds = Math.max(3, 300 / size)
    let total = 0
    for (let round = 0; round < rounds; round++) {
      await using platform = createPlatform({ applications: size, resources })
      total += await elapsedMs(platform.reconcile)
    }
    times.push(total / rounds)
  }
  return [count('growth of a first run (1 is linear)', growthExponent(sizes, times), 'exponent', 1.05)]
}
