import type { Claim, Wake } from '../../queue/queue.ts'
import { sleep } from '../../runtime/call.ts'
import type { Json } from '../../runtime/json.ts'
import { GitOpsError, toGitOpsError } from '../../runtime/errors.ts'
import type { Revision, Source } from '../../source/source.ts'
import { ownCall } from '../engine.ts'
import type { Member } from '../member.ts'
import { listenTo, resolveNewest, tellUnreachable } from '../polling.ts'
import type { Polling } from '../polling-contract.ts'
import { defaultPolicy } from '../policy/policy.ts'
import { pollDelayMs, retryDelayMs } from '../policy/timing.ts'
import type { Leases } from './leases.ts'
import type { Outbox } from './outbox.ts'
import { applicationKey, nameOf } from './keys.ts'
import type { Sharing } from './sharing.ts'

/**
 * Asks the sources, each by one process at a time. The newest revision is the note of the source's key, written under its
 * claim: a process that lost it cannot bring an older one back. The applications are woken in the same moment.
 */
export interface Sources {
  readonly polling: Polling
  /** Asks those that are due. Resolves to whether there may be more. */
  work(): Promise<boolean>
  /** Calls `listener` whenever a source was asked. */
  onEnd(listener: () => void): void
  stop(): Promise<void>
}

/** Sources that this process asks at a time. */
const MOST = 32
/** How soon a process looks again whether another one has asked. */
const LOOK_MS = 250

export function createSources(sharing: Sharing, leases: Leases, outbox: Outbox): Sources {
  const { engine, queue, worker, leaseMs } = sharing
  const { clock, random } = engine.call
  const followed = new Map<string, AbortController>()
  const working = new Set<Promise<unknown>>()
  /** Sources that could not be asked by this process, and how often in a row. */
  const failures = new Map<string, number>()
  let ended = (): void => {}

  const membersOf = (id: string): readonly Member[] =>
    [...engine.members.values()].filter(({ source }) => source.id === id)

  /** Longer with each failure in a row, as for applications. */
  const retryMs = ({ key }: Claim, member: Member | undefined, { retryAfterMs }: GitOpsError): number => {
    const count = (failures.get(key) ?? 0) + 1
    failures.set(key, count)
    const { retry } = member?.policy ?? defaultPolicy
    return retryDelayMs(retry, count, random, retryAfterMs) ?? retry.maxMs
  }
  const ask = async (claim: Claim, askedMs: number): Promise<Revision> => {
    leases.hold(claim, askedMs, { lost: () => {} })
    const members = membersOf(nameOf(claim))
    const [first] = members
    const delays = members.flatMap(({ policy }) => pollDelayMs(policy, random) ?? [])
    const again = delays.length === 0 ? {} : { again: { delayMs: Math.min(...delays), trigger: 'poll' } }
    try {
      // Somebody else's source: it comes back when it is due again, to whoever knows it.
      if (first === undefined) throw new GitOpsError('APPLICATION_UNKNOWN', `${claim.key} is not known here.`)
      const revision = await resolveNewest(engine, first.source, ownCall(engine), members)
      const wakes = isNew(claim.note, revision) ? members.map((member) => wakeOf(member, 'revision')) : []
      await queue.complete([{ claim, note: toNote(revision), wakes, ...again }], ownCall(engine))
      failures.delete(claim.key)
      return revision
    } catch (thrown) {
      const error = toGitOpsError(thrown, `Asking ${nameOf(claim)} for its newest revision`)
      for (const member of members) tellUnreachable(engine, member, error)
      // Given back, not completed: whoever woke it, and will not do so again, is still owed a look.
      const delayMs = Math.min(retryMs(claim, first, error), ...delays)
      await queue.release([{ claim, delayMs }], ownCall(engine)).catch(() => {})
      throw error
    } finally {
      leases.letGo(claim.key)
    }
  }
  const track = <T>(work: Promise<T>): Promise<T> => {
    const tracked: Promise<unknown> = work
      .catch(() => {})
      .finally(() => {
        working.delete(tracked)
        ended()
      })
    working.add(tracked)
    return work
  }
  const claim = (request: { limit: number; keys?: readonly string[] }): Promise<readonly Claim[]> =>
    queue.claim({ worker, pool: 'source', leaseMs, ...request }, ownCall(engine))

  /** Asks now: here, or by whoever is asking already. */
  const poll = async ({ id }: Source): Promise<Revision> => {
    const key = `source/${id}`
    const call = ownCall(engine)
    const untilMs = clock.monotonic() + engine.sourceTimeoutMs
    outbox.send({ key, onlyNew: true })
    await outbox.flush()
    const before = (await queue.items({ keys: [key] }, call))[0]?.token ?? 0
    while (clock.monotonic() < untilMs) {
      const askedMs = clock.monotonic()
      const [mine] = await claim({ limit: 1, keys: [key] })
      if (mine !== undefined) return track(ask(mine, askedMs))
      await sleep(LOOK_MS, call)
      const [item] = await queue.items({ keys: [key] }, call)
      const isAnswered = item !== undefined && item.worker === undefined && item.token > before
      if (isAnswered && item.note !== undefined) return fromNote(item.note)
    }
    throw new GitOpsError('DEADLINE_EXCEEDED', `Another process has been asking ${id} for too long.`)
  }
  return {
    work: async () => {
      const room = MOST - working.size
      if (room <= 0) return false
      const askedMs = clock.monotonic()
      const claims = await claim({ limit: room })
      for (const each of claims) track(ask(each, askedMs)).catch(() => {})
      return claims.length === room
    },
    onEnd: (listener) => void (ended = listener),
    stop: async () => {
      for (const controller of followed.values()) controller.abort()
      followed.clear()
      await Promise.allSettled(working)
    },
    polling: {
      poll,
      follow: (member) => {
        const { source } = member
        outbox.send({ key: `source/${source.id}`, onlyNew: true })
        outbox.send({ ...wakeOf(member, 'added'), onlyNew: true })
        if (followed.has(source.id)) return
        const controller = new AbortController()
        followed.set(source.id, controller)
        const push = async (): Promise<void> =>
          outbox.send({ key: `source/${source.id}`, priority: 1, trigger: 'push' })
        if (source.watch !== undefined) void listenTo(source, { ...engine.call, signal: controller.signal }, push)
      },
      unfollow: ({ source }) => {
        if (membersOf(source.id).length > 1) return
        followed.get(source.id)?.abort()
        followed.delete(source.id)
      },
      stop: () => {
        for (const controller of followed.values()) controller.abort()
        followed.clear()
      },
    },
  }
}

/** A wake of an application, in the lane of its target. */
export function wakeOf(member: Member, trigger: string): Wake {
  return { key: applicationKey(member.name), ...placeOf(member), priority: 1, trigger }
}

/** Who is handed an application first, and whose it is. */
export function placeOf({ target, application: { tenant } }: Member): Pick<Wake, 'lane' | 'tenant'> {
  return { lane: target.id, ...(tenant !== undefined && { tenant }) }
}

function isNew(note: Json | undefined, revision: Revision): boolean {
  return note === undefined || fromNote(note).id !== revision.id
}

/** A revision is plain data. */
function toNote(revision: Revision): Json {
  return JSON.parse(JSON.stringify(revision)) as Json
}

/** The revision that a source's key carries. */
export function fromNote(note: Json): Revision {
  return note as unknown as Revision
}
