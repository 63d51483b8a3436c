import PQueue from 'p-queue'
import { refKey } from '@gitops-sdk/core'
import { decodeDocuments } from '@gitops-sdk/core/files'
import { memorySystem } from '@gitops-sdk/core/testing'
import { type BenchmarkOptions, type Row, compare, count, elapsedMs, growthExponent } from '../harness.ts'
import { createPlatform, filesOf } from '../shapes/platform.ts'

const applications = 1_000
const resources = 20

/** The first run of many applications, against the same writes with nothing around them. */
export async function run({ pairs, say }: BenchmarkOptions): Promise<readonly Row[]> {
  say(`first run of ${applications} applications of ${resources} resources`)
  const files = Array.from({ length: applications }, (_, seed) => filesOf(resources, seed))
  let platform = createPlatform({ applications, resources })
  const first = await compare({
    name: `first run of ${applications} applications of ${resources} resources`,
    peer: 'p-queue, the same files read and written, no reconciler',
    pairs,
    before: async () => {
      await platform[Symbol.asyncDispose]()
      platform = createPlatform({ applications, resources })
    },
    ours: async () => {
      await platform.reconcile()
      if (platform.writes() !== applications * resources) throw new Error(`${platform.writes()} writes`)
    },
    theirs: () => writeAll(files),
    atMost: 1.3,
  })
  await platform[Symbol.asyncDispose]()
  return [first, ...(await growth(say))]
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
