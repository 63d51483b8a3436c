// One process of many: a reconciler over the shared store. Its sources and its target are in the parent.
// Writes one line of JSON for every commit that was accepted or fenced, because what is told must survive a kill.
import { appendFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import {
  type Call,
  type Ledger,
  type LedgerChange,
  type Source,
  type Target,
  GitOpsError,
  actualState,
  applyEach,
  assessEach,
  createReconciler,
  desiredState,
  perResource,
  planByDiff,
  resource,
} from '@gitops-sdk/core'
import { postgres } from '../../src/postgres.ts'
import { sqlite } from '../../src/sqlite.ts'
import { repositoryOf } from './world.ts'

/** What the parent tells a worker. */
export interface WorkerOptions {
  readonly id: number
  readonly names: readonly string[]
  readonly world: string
  readonly log: string
  readonly leaseMs: number
  readonly store: { readonly url: string } | { readonly path: string }
}

const options = JSON.parse(process.argv[2] ?? '') as WorkerOptions
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

const ledger: Ledger =
  'url' in options.store
    ? postgres({ url: options.store.url, user: 'gitops', leaseMs: options.leaseMs, connections: 8 })
    : sqlite(options.store.path, { leaseMs: options.leaseMs })
const applications = options.names.map((name, index) => ({
  name,
  source: sourceOf(name, repositoryOf(index)),
  target: targetOf(name, `cluster-${index % 12}`),
  policy: { mode: 'automatic' as const, intervalMs: 3_600_000, retry: { baseMs: 500, maxMs: 5_000 } },
}))
// `FLEET_LOG=1` tells on the terminal what the engine warns of.
const quiet = (): void => {}
const loud = (...parts: unknown[]): void => console.error(`worker ${options.id}`, ...parts)
const log = { debug: quiet, info: quiet, warn: process.env['FLEET_LOG'] === undefined ? quiet : loud, error: loud }
const reconciler = createReconciler({
  applications,
  ledger: logged(ledger),
  concurrency: 32,
  targetConcurrency: 64,
  log,
})
reconciler.start()
process.on('SIGTERM', () => {
  void reconciler[Symbol.asyncDispose]().then(() => process.exit(0))
})

function logged(port: Ledger): Ledger {
  const note = (line: object): void => appendFileSync(options.log, `${JSON.stringify(line)}\n`)
  return {
    ...port,
    commit: async (application: string, change: LedgerChange, call: Call) => {
      const token = change.claim?.token
      try {
        const version = await port.commit(application, change, call)
        if (token !== undefined) note({ application, version, token, worker: options.id })
        return version
      } catch (error) {
        if (error instanceof GitOpsError && error.code === 'LEDGER_FENCED')
          note({ application, token, fenced: true, worker: options.id })
        throw error
      }
    },
  }
}

function sourceOf(name: string, repository: string): Source {
  return {
    id: repository,
    resolve: async (call) => ({ id: String((await ask(call, `head/${repository}`))['revision']) }),
    snapshot: async (revision, call) => {
      const { generation } = await ask(call, `snapshot/${name}/${revision.id}`)
      const bytes = new TextEncoder().encode(String(generation))
      return {
        revision,
        digest: async () => String(generation),
        list: async function* () {
          yield { path: 'generation', type: 'file' as const, digest: String(generation) }
        },
        read: async () => bytes,
      }
    },
  }
}

function targetOf(name: string, cluster: string): Target {
  const ref = { kind: 'thing', name }
  return {
    kind: 'things',
    id: cluster,
    contract: 1,
    supports: perResource,
    declare: async (snapshot, call) => {
      const generation = Number(new TextDecoder().decode(await snapshot.read('generation', call)))
      return desiredState(snapshot.revision, [resource({ ref, body: { generation } })])
    },
    observe: async (_desired, _owned, call) => {
      const { generation } = await ask(call, `live/${name}`)
      const observedAt = call.clock.now()
      return actualState({
        observedAt,
        resources: typeof generation === 'number' ? [{ ref, body: { generation }, owner: name }] : [],
      })
    },
    plan: async (desired, actual, given) => planByDiff(desired, actual, given),
    apply: (plan, desired, call) =>
      applyEach(plan, desired, call, async (_change, declared) => {
        const token = call.fence?.token ?? 0
        const body = { application: name, generation: declared?.body['generation'], token, worker: options.id }
        const { accepted } = await ask(call, 'write', body)
        if (accepted !== true) throw new GitOpsError('LEDGER_FENCED', `${name}: a newer writer was here.`)
      }),
    assess: async (desired, actual) => assessEach(desired, actual, () => 'healthy'),
  }
}

function ask(call: Call, path: string, body?: object): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(new GitOpsError('TARGET_UNREACHABLE', `${path} cannot be reached.`, { cause }))
    const sent = request(
      `${options.world}/${path}`,
      { agent, method: body === undefined ? 'GET' : 'PUT', signal: call.signal },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('end', () => resolve(JSON.parse(text) as Record<string, unknown>)).on('error', fail)
      },
    )
    sent.on('error', fail)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
