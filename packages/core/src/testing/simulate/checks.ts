import { label, refKey } from '../../desired/ref.ts'
import type { ResourceRef } from '../../desired/desired.ts'
import type { ApplicationEvent } from '../../feedback/events.ts'
import { sameJson } from '../../plan/diff.ts'
import type { Call } from '../../runtime/call.ts'
import type { JsonObject } from '../../runtime/json.ts'
import type { Logger } from '../../runtime/log.ts'
import { verifyAudit } from '../../ledger/audit.ts'
import type { Reconciler } from '../../reconciler/reconciler.ts'
import { type Stage, note } from './stage.ts'

/** Secrets of the simulation begin with this; it must not leave the process in anything. */
export const canary = 'canary-'

/** A process, as far as it is watched. */
interface Watchable {
  readonly id: number
  readonly reconciler: Reconciler
  readonly alive: boolean
}

/** A broken promise. */
export interface Violation {
  /** Number of the invariant in the design. */
  readonly invariant: number
  readonly message: string
}

/** Looks at everything that happens and writes down which promises were broken. */
export interface Checks {
  readonly violations: Violation[]
  /** What a process logs is searched for secrets. */
  readonly log: Logger
  /** Writes to the managed system so far. */
  readonly writes: number
  listen(process: Watchable): void
  /** Called when a person touches something, or a look shows what was there before: what is ready then is not judged. */
  disturb(): void
  /** Called when an application is rolled back: older declarations may be applied from now on. */
  allowOlder(application: string): void
  approve(fingerprint: string): void
  beforeWrite(process: Watchable, operation: 'write' | 'remove', ref: ResourceRef, call: CallOf): Promise<void>
  afterWrite(process: Watchable, operation: 'write' | 'remove', ref: ResourceRef, call: CallOf): void
  fail(invariant: number, message: string): void
  /** The last look, when nothing happens any more. */
  finish(): Promise<void>
}

type CallOf = Call & { readonly application: string }

interface Watched {
  /** The run in progress. */
  run?: string | undefined
  /** `refKey`s of the last plan. */
  planned: ReadonlySet<string>
  disturbedSinceStart: boolean
}

export function createChecks(world: Stage): Checks {
  const violations: Violation[] = []
  const approved = new Set<string>()
  const newest = new Map<string, number>()
  const runs = new Set<string>()
  const watched = new Map<string, Watched>()
  let writes = 0

  const fail = (invariant: number, message: string): void => {
    if (violations.some((each) => each.message === message)) return
    violations.push({ invariant, message })
    note(world, `VIOLATION of invariant ${invariant}: ${message}`)
  }
  const keepSecrets = (text: string, where: string): void => {
    if (text.includes(canary)) fail(8, `a secret is in ${where}`)
  }
  const watchedOf = (process: Watchable, application: string): Watched => {
    const key = `${process.id} ${application}`
    const known = watched.get(key) ?? { planned: new Set(), disturbedSinceStart: false }
    watched.set(key, known)
    return known
  }
  const logLine = (...parts: readonly unknown[]): void => keepSecrets(parts.map(String).join(' '), 'the log')

  const onEvent = (process: Watchable, event: ApplicationEvent): void => {
    const text = JSON.stringify(event)
    keepSecrets(text, `the event ${event.type}`)
    if (!process.alive) return
    if (event.at !== world.clock.now())
      fail(12, `the event ${event.type} is stamped with a time that is not the clock's`)
    note(world, `${event.application} ${event.type} ${summary(event)}`)
    const known = watchedOf(process, event.application)
    if (event.type === 'started') {
      if (known.run !== undefined) fail(2, `${event.application} runs twice at a time`)
      known.run = event.runId
      known.disturbedSinceStart = false
    }
    if (event.type === 'finished') known.run = undefined
    if (event.type === 'planned') known.planned = new Set(event.plan.changes.map(({ ref }) => refKey(ref)))
    if (event.type === 'applyStarted') checkApproved(event.application, event.fingerprint)
    if (event.type === 'parked' && event.blocker.kind === 'health' && event.deadlineAt === undefined) {
      fail(7, `${event.application} waits for health without a deadline`)
    }
    if (event.type === 'applied') {
      if (runs.has(event.runId)) fail(4, `run ${event.runId} was applied twice`)
      runs.add(event.runId)
    }
    if (event.type === 'ready' && !known.disturbedSinceStart) checkReady(event.application, event.revision.id)
  }

  const checkApproved = (application: string, fingerprint: string): void => {
    const { mode } = applicationOf(world, application)
    if (mode === 'approve' && !approved.has(fingerprint)) fail(6, `${application} applied a plan that nobody approved`)
  }
  const checkReady = (application: string, revision: string): void => {
    const declared = applicationOf(world, application).declared.get(revision)
    for (const [name, body] of declared ?? []) {
      const found = world.system.live.get(refKey({ kind: 'item', name }))
      if (found === undefined || !sameJson(found.body, withoutMarks(body))) {
        fail(5, `${application} is called ready although item ${name} is not as declared`)
      }
    }
  }

  return {
    violations,
    log: { debug: logLine, info: logLine, warn: logLine, error: logLine },
    get writes() {
      return writes
    },
    fail,
    approve: (fingerprint) => void approved.add(fingerprint),
    allowOlder: (application) => {
      for (const key of newest.keys()) if (key.startsWith(`${application} `)) newest.delete(key)
    },
    disturb: () => {
      for (const known of watched.values()) known.disturbedSinceStart = true
    },
    listen: (process) => void process.reconciler.onAny((event) => onEvent(process, event)),
    beforeWrite: async (process, operation, ref, call) => {
      const { application } = call
      const record = await world.ledger.read(application, call)
      const owned = record.inventory.get(refKey(ref))
      if (owned === undefined)
        fail(
          operation === 'remove' ? 3 : 4,
          `${operation} of ${label(ref)} that the ledger of ${application} does not own`,
        )
      if (record.journal === undefined) fail(4, `${operation} of ${label(ref)} without a journal`)
      const found = world.system.live.get(refKey(ref))
      if (operation === 'remove' && found?.owner !== undefined && found.owner !== application) {
        fail(3, `${application} removes ${label(ref)}, which ${found.owner} claims`)
      }
      const { planned } = watchedOf(process, application)
      if (process.alive && !planned.has(refKey(ref))) fail(6, `${operation} of ${label(ref)} that was not in the plan`)
    },
    afterWrite: (process, operation, ref, { application }) => {
      writes++
      note(world, `process ${process.id}: ${operation} ${label(ref)}`)
      if (operation === 'remove') return
      const key = `${application} ${refKey(ref)}`
      const generation = Number(world.system.live.get(refKey(ref))?.body['generation'] ?? 0)
      if (generation < (newest.get(key) ?? 0))
        fail(2, `${label(ref)} went back from generation ${newest.get(key)} to ${generation}`)
      newest.set(key, Math.max(generation, newest.get(key) ?? 0))
    },
    finish: () => finish(world, { fail, keepSecrets }),
  }
}

/** What a body is once it is applied: `$options` and the like are not part of it. */
export function withoutMarks(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !name.startsWith('$')))
}

function applicationOf(world: Stage, name: string) {
  return world.applications.find((application) => application.name === name)!
}

function summary(event: ApplicationEvent): string {
  if (event.type === 'failed') return `${event.error.code} during ${event.during}: ${event.error.message}`
  if (event.type === 'planned') return event.plan.changes.map(({ action, ref }) => `${action} ${ref.name}`).join(', ')
  if ('revision' in event && event.revision !== undefined) return event.revision.id.slice(0, 8)
  return ''
}

/** Everything that is stored holds no secret, and the audit log is whole. */
async function finish(
  world: Stage,
  { fail, keepSecrets }: { fail: Checks['fail']; keepSecrets: (text: string, where: string) => void },
): Promise<void> {
  const call = { clock: world.clock, random: world.random, signal: new AbortController().signal, log: silent }
  const ids = new Set<string>()
  for await (const run of world.ledger.history({ limit: 100_000 }, call)) {
    keepSecrets(JSON.stringify(run), 'the history')
    if (ids.has(run.runId)) fail(4, `run ${run.runId} is in the history twice`)
    ids.add(run.runId)
  }
  const verdict = await verifyAudit(world.ledger.audit({}, call))
  if (!verdict.valid) fail(12, `the audit log is broken: ${verdict.problem}`)
  for (const { name } of world.applications) {
    keepSecrets(JSON.stringify(await world.ledger.read(name, call)), 'the ledger')
  }
}

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
