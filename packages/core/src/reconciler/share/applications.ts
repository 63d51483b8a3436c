import type { Again, Claim, Completion, Held, Priority } from '../../queue/queue.ts'
import type { Fence } from '../../runtime/call.ts'
import { type GitOpsError, toGitOpsError } from '../../runtime/errors.ts'
import type { Json } from '../../runtime/json.ts'
import { isReadyHere } from '../dependencies.ts'
import { commit, ownCall } from '../engine.ts'
import type { Member } from '../member.ts'
import { pollDelayMs } from '../policy/timing.ts'
import type { Queue } from '../queue.ts'
import type { RunResult } from '../run-result.ts'
import { workOn } from '../work.ts'
import type { Lanes } from './lanes.ts'
import type { Lease, Leases } from './leases.ts'
import { hear, prepare } from './prepare.ts'
import type { Outbox } from './outbox.ts'
import { applicationKey, nameOf } from './keys.ts'
import type { Sharing } from './sharing.ts'
import { placeOf, wakeOf } from './sources.ts'

/** Works on applications, each under a claim of its own. */
export interface Applications {
  readonly add: Queue['add']
  /** Claims what is due and begins to work on it. Resolves to whether there may be more. */
  readonly work: (all: boolean) => Promise<boolean>
  readonly claimOf: (name: string) => Held | undefined
  readonly fenceOf: (name: string) => Fence | undefined
  readonly isReady: (name: string) => boolean
  /** Calls `listener` whenever a run ended. */
  readonly onEnd: (listener: () => void) => void
  readonly stop: () => Promise<void>
}

interface Working {
  readonly lease: Lease
  /** What was asked for while it was worked on. */
  again?: Again | undefined
}

/** Claims of one statement, and applications that are worked on at a time. Those that wait for health do not count. */
const BATCH = 16
const MOST_ACTIVE = 32
const MOST_HELD = 1_000
/** How long the holder of a lane is waited for before anybody may take its work. */
const GRACE_MS = 2_000

export function createApplications(sharing: Sharing, leases: Leases, outbox: Outbox, lanes: Lanes): Applications {
  const { engine, queue, worker, leaseMs } = sharing
  const { clock } = engine.call
  const working = new Map<string, Working>()
  const ends = new Map<string, Promise<void>>()
  /** Applications that somebody here waits for: claimed by name, ahead of their time. */
  const asked = new Set<string>()
  const ready = new Map<string, boolean>()
  let ended = (): void => {}
  let isStopping = false

  const add: Queue['add'] = (name, { trigger, priority = 0, delayMs = 0 }) => {
    const here = working.get(name)
    const again: Again = { delayMs: Math.max(0, delayMs), priority: urgency(priority), trigger }
    if (here !== undefined) here.again = here.again === undefined ? again : sooner(here.again, again)
    else outbox.send({ ...again, key: applicationKey(name), ...place(name) })
    if (engine.members.get(name)?.asked.some(({ isReady }) => isReady) === true) asked.add(name)
  }
  const place = (name: string): ReturnType<typeof placeOf> => {
    const member = engine.members.get(name)
    return member === undefined ? {} : placeOf(member)
  }
  const active = (): number => {
    const waiting = [...working.keys()].filter((name) => engine.feedback.state(name)?.phase === 'waiting')
    return working.size - waiting.length
  }
  const begin = async (claims: readonly Claim[], askedMs: number): Promise<void> => {
    const leased = claims.map((claim) => {
      const name = nameOf(claim)
      asked.delete(name)
      const listener = { lost: (error: GitOpsError) => abort(name, error), news: () => void news(name) }
      const entry: Working = { lease: leases.hold(claim, askedMs, listener) }
      working.set(name, entry)
      return { name, entry }
    })
    if (leased.length === 0) return
    const notes = await prepare(sharing, claims, ready).catch((error: unknown) => toError(error))
    for (const { name, entry } of leased) {
      const end = run(name, entry, notes instanceof Error ? notes : undefined).finally(() => {
        ends.delete(name)
        ended()
      })
      ends.set(name, end)
    }
  }
  const run = async (name: string, entry: Working, failure: Error | undefined): Promise<void> => {
    const { claim } = entry.lease
    const member = engine.members.get(name)
    let isComplete = false
    const end = async (result: RunResult): Promise<RunResult> => {
      try {
        isComplete = member !== undefined && (await close(member, entry, result))
        return result
      } catch (thrown) {
        engine.call.log.warn(`The end of a run of ${name} could not be stored; it is looked at again.`, thrown)
        return unstored(result, toGitOpsError(thrown, `Storing the end of a run of ${name}`))
      }
    }
    const outcome =
      member === undefined || failure !== undefined ? 'unknown' : await workOn(engine, name, workOf(claim), end)
    try {
      const delayMs = outcome === 'unknown' ? 5_000 : outcome === 'fenced' || outcome === 'failed' ? 1_000 : 0
      if (!isComplete) await queue.release([{ claim, delayMs }], ownCall(engine))
    } catch (error) {
      engine.call.log.warn(`${name} could not be given back; it is looked at again when its lease ends.`, error)
    } finally {
      leases.letGo(claim.key)
      working.delete(name)
      // What was asked for since the end was stored, or was to be part of an end that is none.
      if (entry.again !== undefined) outbox.send({ ...entry.again, key: claim.key, ...place(name) })
      for (const each of member?.asked ?? []) if (each.isReady) asked.add(name)
    }
  }
  /** The record of the run and the end of its claim: one commit. Whether the claim is over. */
  const close = async (member: Member, entry: Working, { outcome, error }: RunResult): Promise<boolean> => {
    const { closing } = member
    member.closing = undefined
    const isUndone = undone.has(outcome) || error?.code === 'LEDGER_FENCED' || isStopping
    const complete = isUndone ? undefined : completionOf(member, entry)
    if (complete !== undefined) entry.again = undefined
    try {
      if (closing !== undefined) await commit(engine, member, { ...closing, ...(complete && { complete }) })
      else if (complete !== undefined) await queue.complete([complete], ownCall(engine))
    } catch (thrown) {
      if (complete?.again !== undefined) entry.again = sooner(complete.again, entry.again ?? complete.again)
      throw thrown
    }
    return complete !== undefined
  }
  const completionOf = (member: Member, { lease, again }: Working): Completion => {
    const state = engine.feedback.state(member.name)
    const isReady = state !== undefined && isReadyHere(engine, member, state)
    const note = JSON.parse(JSON.stringify({ ready: isReady, revision: state?.ready })) as Json
    ready.set(member.name, isReady)
    const changed = JSON.stringify(note) !== JSON.stringify(lease.claim.note)
    const dependents = changed && isReady ? engine.members.dependentsOf(member.name) : []
    const delayMs = pollDelayMs(member.policy, engine.call.random)
    const fallback: Again | undefined = delayMs === undefined ? undefined : { delayMs, trigger: 'poll' }
    const next = again ?? fallback
    return {
      claim: lease.claim,
      note,
      ...(next && { again: next }),
      wakes: dependents.map((each) => wakeOf(each, 'dependency')),
    }
  }
  const abort = (name: string, error: GitOpsError): void => engine.members.get(name)?.run?.controller.abort(error)
  const news = async (name: string): Promise<void> => {
    const member = engine.members.get(name)
    if (member === undefined) return
    await hear(sharing, member).catch((error: unknown) =>
      engine.call.log.debug(`${name}: news could not be read.`, error),
    )
  }
  return {
    add,
    work: async (all) => {
      isStopping = false
      const askedMs = clock.monotonic()
      const limits = { limit: BATCH, ...(engine.tenantLimit !== undefined && { tenantLimit: engine.tenantLimit }) }
      const request = { worker, pool: 'application', leaseMs, ...limits }
      const keys = [...asked].filter((name) => !working.has(name)).map(applicationKey)
      if (keys.length > 0) await begin(await queue.claim({ ...request, keys }, ownCall(engine)), askedMs)
      const room = Math.min(BATCH, MOST_ACTIVE - active(), MOST_HELD - working.size)
      if (!all || room <= 0) return false
      const due = { ...request, limit: room, lanes: lanes.held(), graceMs: GRACE_MS }
      const claims = await queue.claim(due, ownCall(engine))
      await begin(claims, askedMs)
      // A tenant that has all it may have is passed over only by the next claim.
      return claims.length === room || (claims.length > 0 && engine.tenantLimit !== undefined)
    },
    claimOf: (name) => working.get(name)?.lease.claim,
    fenceOf: (name) => working.get(name)?.lease.fence,
    isReady: (name) => ready.get(name) === true,
    onEnd: (listener) => void (ended = listener),
    stop: async () => {
      isStopping = true
      while (ends.size > 0) await Promise.allSettled(ends.values())
    },
  }
}

/** Endings after which the same is still owed: the claim is given back, and somebody goes on. */
const undone: ReadonlySet<string> = new Set(['cancelled', 'superseded'])

/** A failed run stays what it was; one whose success nobody knows of is looked at again. */
function unstored(result: RunResult, error: GitOpsError): RunResult {
  const { application, runId, revision } = result
  if (result.outcome === 'failed') return result
  return { application, runId, outcome: 'failed', error, ...(revision && { revision }) }
}

function workOf({ triggers, priority, attempt }: Claim) {
  const reasons = triggers.length > 0 ? triggers : [attempt > 1 ? 'takeover' : 'poll']
  return { triggers: reasons, priority: priority * 5 }
}

/** The priorities of a single process are 0, 5 and 10. */
function urgency(priority: number): Priority {
  return priority >= 10 ? 2 : priority > 0 ? 1 : 0
}

function sooner(left: Again, right: Again): Again {
  const first = left.delayMs <= right.delayMs ? left : right
  return { ...first, priority: Math.max(left.priority ?? 0, right.priority ?? 0) as Priority }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
