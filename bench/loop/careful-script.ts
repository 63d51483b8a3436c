import PQueue from 'p-queue'
import {
  type ActualState,
  type Call,
  type DesiredState,
  type Ledger,
  type Owned,
  actualState,
  assessEach,
  createCall,
  desiredState,
  memoryLedger,
  refKey,
  resource,
} from '@gitops-sdk/core'
import { decodeDocuments } from '@gitops-sdk/core/files'
import { type MemorySystem, memorySystem } from '@gitops-sdk/core/testing'

/** The files of one application, by `kind/name.json`. */
export type Files = Readonly<Record<string, string>>

/**
 * The smallest loop that keeps what a first run promises, with no reconciler: every resource has a digest, what is there is
 * looked at before and after, what is about to be made is written down before and what was made after, and all of it works.
 * It has no plan to show, no events, deadlines, drift, approvals or limits, and no second run. Gives the writes.
 */
export async function applyCarefully(applications: readonly Files[]): Promise<number> {
  const ledger = memoryLedger({ installKey: new Uint8Array(32) })
  const call = createCall()
  const written = await Promise.all(applications.map((files, index) => applyOne(`app-${index}`, files, ledger, call)))
  return written.reduce((sum, each) => sum + each, 0)
}

async function applyOne(application: string, files: Files, ledger: Ledger, call: Call): Promise<number> {
  const system = memorySystem()
  const desired = declare(files)
  const { id } = desired.revision
  if (look(system, desired, call).resources.size > 0) throw new Error('already there')
  const { version } = await ledger.read(application, call)
  const intended = desired.resources.map(({ ref, digest }): Owned => ({ ref, digest, state: 'intended', revision: id }))
  const begun = await ledger.commit(application, { expect: version, inventory: { put: intended } }, call)
  await write(system, application, desired)
  const actual = look(system, desired, call)
  await ledger.commit(application, { ...result(application, desired, actual, call), expect: begun }, call)
  const { status } = assessEach(desired, actual, () => 'healthy')
  if (status !== 'healthy') throw new Error(`${application} is ${status}`)
  return actual.resources.size
}

function declare(files: Files): DesiredState {
  const resources = Object.entries(files).map(([path, text]) => {
    const [document] = decodeDocuments(Buffer.from(text), path, { format: 'json' })
    const [kind = '', name = ''] = path.replace('.json', '').split('/')
    return resource({ ref: { kind, name }, body: document!.body })
  })
  return desiredState({ id: 'first' }, resources)
}

function look({ live }: MemorySystem, { resources }: DesiredState, { clock }: Call): ActualState {
  const found = resources.flatMap(({ ref }) => live.get(refKey(ref)) ?? [])
  return actualState({ resources: found, observedAt: clock.now() })
}

/** Eight at a time, as the loop without a record. */
async function write(system: MemorySystem, owner: string, { resources }: DesiredState): Promise<void> {
  const queue = new PQueue({ concurrency: 8 })
  for (const { ref, body, digest } of resources) {
    void queue.add(async () => void system.put({ ref, body, digest, owner }))
  }
  await queue.onIdle()
}

/** What is owned from now on, and a line in the history. Throws where something is not as declared. */
function result(application: string, { revision, digest, resources }: DesiredState, actual: ActualState, call: Call) {
  const at = call.clock.now()
  const put = resources.map((declared): Owned => {
    const found = actual.resources.get(refKey(declared.ref))
    if (found?.uid === undefined || found.digest !== declared.digest) throw new Error('not as declared')
    const { ref, uid } = found
    return { ref, uid, digest: declared.digest, state: 'applied', revision: revision.id, appliedAt: at }
  })
  const changed = put.map(({ ref }) => ({ ref, action: 'create' as const, status: 'succeeded' as const }))
  const counts = { create: put.length }
  const run = {
    runId: application,
    application,
    startedAt: at,
    endedAt: at,
    trigger: 'first',
    outcome: 'applied' as const,
  }
  return { inventory: { put }, state: { applied: revision, appliedDigest: digest }, run: { ...run, counts, changed } }
}
