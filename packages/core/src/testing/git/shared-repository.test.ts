import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { memoryLedger } from '../../ledger/memory.ts'
import { createReconciler } from '../../reconciler/reconciler.ts'
import type { Reconciler } from '../../reconciler/reconciler.ts'
import { gitRepository } from '../../source/git/repository.ts'
import { gitSource } from '../../source/git/source.ts'
import { manualClock } from '../clock.ts'
import { type MemoryTarget, memoryTarget } from '../memory-target.ts'
import { type GitServer, startGitServer } from './git-server.ts'
import type { ServedRepository } from './served-repository.ts'

const names = Array.from({ length: 20 }, (_, at) => `app-${at}`)
let server: GitServer
let repository: ServedRepository
let count = 0
beforeAll(async () => {
  server = await startGitServer({ backend: 'upload-pack' })
})
afterAll(() => server.close())
beforeEach(async () => {
  repository = await server.createRepository(`shared-${count++}`)
  await repository.commit(Object.fromEntries(names.map((name) => [fileOf(name), '{"size":1}'])))
})

const fileOf = (name: string): string => `${name}/queue/orders.json`

interface Platform extends AsyncDisposable {
  readonly reconciler: Reconciler
  readonly targets: ReadonlyMap<string, MemoryTarget>
}

/** Twenty applications, each with a folder of its own in one repository. */
function openPlatform(): Platform {
  const shared = gitRepository({ url: repository.url })
  const targets = new Map(names.map((name) => [name, memoryTarget({ id: name })]))
  const reconciler = createReconciler({
    applications: [...targets].map(([name, target]) => ({
      name,
      source: gitSource({ repository: shared, ref: 'main', path: name }),
      target,
      policy: { mode: 'automatic' },
    })),
    ledger: memoryLedger({ installKey: new Uint8Array(32) }),
    clock: manualClock(),
  })
  const close = async (): Promise<void> => {
    await reconciler.stop()
    await shared[Symbol.asyncDispose]()
  }
  return { reconciler, targets, [Symbol.asyncDispose]: close }
}

/** What the server was asked while `work` ran. */
async function asked(work: () => Promise<unknown>): Promise<{ polls: number; fetches: number }> {
  const before = server.requests.length
  await work()
  const bodies = server.requests.slice(before).map(({ body }) => body.toString('latin1'))
  const of = (command: string): number => bodies.filter((body) => body.includes(`command=${command}`)).length
  return { polls: of('ls-refs'), fetches: of('fetch') }
}

const reconcileAll = ({ reconciler }: Platform): Promise<unknown> =>
  Promise.all(names.map((name) => reconciler.reconcile(name)))
const declared = ({ targets }: Platform): Record<string, number> =>
  Object.fromEntries([...targets].map(([name, { counts }]) => [name, counts.declare]))

test('twenty applications on one repository share one poll and one fetch', async () => {
  await using platform = openPlatform()
  expect(await asked(() => reconcileAll(platform))).toEqual({ polls: 1, fetches: 1 })
  expect([...platform.targets.values()].every(({ live }) => live.size === 1)).toBe(true)
  expect(await asked(() => reconcileAll(platform))).toEqual({ polls: 1, fetches: 0 })
})

test('a commit declares anew only the application whose folder it changed', async () => {
  await using platform = openPlatform()
  await reconcileAll(platform)
  const before = declared(platform)
  await repository.commit({ [fileOf('app-7')]: '{"size":2}', 'README.md': 'elsewhere' })
  expect(await asked(() => reconcileAll(platform))).toEqual({ polls: 1, fetches: 1 })
  expect(declared(platform)).toEqual({ ...before, 'app-7': (before['app-7'] ?? 0) + 1 })
})

test('webhooks and polls of all applications at the same time are at most one poll and the one after it', async () => {
  await using platform = openPlatform()
  await reconcileAll(platform)
  await repository.commit({ [fileOf('app-3')]: '{"size":2}' })
  const { polls, fetches } = await asked(async () => {
    for (let hook = 0; hook < 5; hook++) for (const name of names) platform.reconciler.trigger(name)
    await reconcileAll(platform)
  })
  expect(polls).toBeLessThanOrEqual(2)
  expect(fetches).toBe(1)
})
