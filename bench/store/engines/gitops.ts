import { type Call, type Claim, type Ledger, type LedgerChange, type Queue, createCall } from '@gitops-sdk/core'
import { postgres } from '../../../packages/sql-store/src/postgres.ts'
import type { Engine, Observer, OpenEngine } from './engine.ts'

type Finish = (claims: readonly Claim[]) => Promise<unknown>

/** The shared queue. A run that changes nothing is a claim and its completion: no record of it is kept. */
export const openQueue: OpenEngine = ({ url }) => open(url, ({ queue }, call) => withoutRecord(queue, call))

/** The shared queue and the ledger: each run leaves its record, an inventory of two resources and its completion in one commit. */
export const openLedger: OpenEngine = ({ url }) => open(url, (ledger, call) => withRecord(ledger, call))

async function open(url: string, finishOf: (ledger: Ledger & { queue: Queue }, call: Call) => Finish): Promise<Engine> {
  const ledger = postgres({ url, user: 'gitops', connections: 4 })
  const { queue } = ledger
  const call = createCall()
  await queue.items({ limit: 1 }, call)
  return {
    enqueue: (keys, revision) =>
      queue.enqueue(
        keys.map((key) => ({ key: `application/${key}`, revision })),
        call,
      ),
    work: async (batch, observer) => work(queue, finishOf(ledger, call), batch, observer),
    [Symbol.asyncDispose]: async () => ledger[Symbol.asyncDispose]?.(),
  }
}

function withoutRecord(queue: Queue, call: Call): Finish {
  return (claims) =>
    queue.complete(
      claims.map((claim) => ({ claim })),
      call,
    )
}

function withRecord(ledger: Ledger, call: Call): Finish {
  return (claims) => Promise.all(claims.map((claim) => ledger.commit(claim.key, changeOf(claim), call)))
}

/** What the engine writes when a run ends: the first of an application here, so its record is at version 0. */
function changeOf(claim: Claim): LedgerChange {
  const application = claim.key
  const at = 1_700_000_000_000
  const revision = { id: 'c0ffee0000000000000000000000000000000000' }
  const refs = ['deployment', 'service'].map((kind) => ({ kind, namespace: 'default', name: application }))
  return {
    expect: 0,
    claim: { key: claim.key, token: claim.token },
    inventory: { put: refs.map((ref) => ({ ref, state: 'applied', revision: revision.id, appliedAt: at })) },
    run: {
      runId: `run-${claim.token}`,
      application,
      startedAt: at,
      endedAt: at,
      trigger: 'revision',
      revision,
      outcome: 'applied',
      counts: { create: 2 },
      changed: refs.map((ref) => ({ ref, action: 'create', status: 'succeeded' })),
    },
    complete: { claim },
  }
}

/** As the loop of the engine does it: again at once while there is work, then when somebody hints or a second is over. */
async function work(queue: Queue, finish: Finish, batch: number, observer: Observer): Promise<AsyncDisposable> {
  const controller = new AbortController()
  const call = createCall({ signal: controller.signal })
  let kick = (): void => {}
  let isKicked = false
  const listening = (async () => {
    for await (const _ of queue.hints?.(call) ?? []) {
      isKicked = true
      kick()
    }
  })().catch(() => {})
  const turn = async (): Promise<void> => {
    isKicked = false
    const request = { worker: String(process.pid), pool: 'application', limit: batch, leaseMs: 30_000 }
    const claims = await queue.claim(request, createCall())
    for (const { key } of claims) observer.began(Number(key.slice('application/'.length)))
    if (claims.length > 0) {
      await finish(claims)
      observer.settled()
    } else if (!isKicked) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500 + Math.random() * 500)
        kick = () => (clearTimeout(timer), resolve())
      })
    }
  }
  const turns = async (): Promise<void> => {
    while (!controller.signal.aborted) await turn()
  }
  // Two at a time, so that the database works while the answer of the last claim is looked at.
  const working = Promise.all([turns(), turns()])
  return {
    [Symbol.asyncDispose]: async () => {
      controller.abort()
      kick()
      await Promise.all([working, listening])
    },
  }
}
