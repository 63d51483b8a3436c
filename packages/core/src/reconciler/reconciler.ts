import type { ApplicationEvent, EventOf, EventType } from '../feedback/events.ts'
import { type Listener } from '../feedback/emitter.ts'
import { type Explanation, explain } from '../feedback/explain.ts'
import { createFeedback } from '../feedback/feedback.ts'
import type { ApplicationState } from '../feedback/state.ts'
import { type AuditHead, type AuditVerdict, verifyAudit } from '../ledger/audit.ts'
import type { AuditRecord, HistoryQuery, Ledger, RunRecord } from '../ledger/ledger.ts'
import { memoryLedger } from '../ledger/memory.ts'
import type { Plan } from '../plan/plan.ts'
import { createSeal } from '../plan/seal.ts'
import { type Call, createCall, withDeadline } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { structuredLog } from '../runtime/log.ts'
import type { Application } from './application.ts'
import { validateApplication, validateReconcilerOptions } from './config.ts'
import { checkDependencies } from './dependency-graph.ts'
import { addMember, removeMember } from './membership.ts'
import { type Engine, LEDGER_TIMEOUT_MS, ownCall } from './engine.ts'
import type { Asked, Member } from './member.ts'
import { createMembers } from './members.ts'
import { notifyAll } from './notify.ts'
import type { ReconcilerOptions } from './options.ts'
import {
  type ApproveRequest,
  type ResolveRequest,
  type SuspendRequest,
  approve,
  hold,
  release,
  resolveSuspects,
  resume,
  suspend,
} from './decisions.ts'
import { createPolling } from './polling.ts'
import { createPools } from './pools.ts'
import { preview } from './preview.ts'
import { createQueue } from './queue.ts'
import { createShare } from './share/share.ts'
import { type RollbackRequest, type RollbackResult, rollBack } from './rollback.ts'
import type { RunOptions, RunResult } from './run-result.ts'
import { type WaitRequest, waitFor } from './wait-for.ts'
import { workOn } from './work.ts'

/**
 * Brings applications from what they are to what their sources declare, and keeps them there.
 *
 * `reconcile` and `plan` work at any time; `start` repeats them whenever there is a reason. Every
 * method that names an application throws `APPLICATION_UNKNOWN` when there is none of that name.
 */
export interface Reconciler extends AsyncDisposable {
  /** Takes an application on. Throws `CONFIG_INVALID`, `APPLICATION_DUPLICATE`, `DEPENDENCY_UNKNOWN` or `DEPENDENCY_CYCLE`. */
  add(application: Application): Promise<void>
  /** Lets an application go. `cascade` removes everything it owns first; otherwise its resources stay. */
  remove(name: string, options?: { readonly cascade?: boolean }): Promise<void>
  /** Begins to poll, watch and heal. Returns at once; harmless when repeated. */
  start(): void
  /** Lets the runs in progress finish, then resolves. Waits end at once. Harmless when repeated. */
  stop(): Promise<void>
  /** What would be done now. Never writes; the same code as `reconcile` up to the plan. */
  plan(name: string): Promise<Plan>
  /** One run, now. Resolves when it ended, well or not. */
  reconcile(name: string, options?: RunOptions): Promise<RunResult>
  /** Asks the source now, because something says that it changed. Returns at once. */
  trigger(name: string): void
  status(name: string): ApplicationState
  /** How it is doing in one sentence, and what to do next. */
  explain(name: string): Explanation
  /** The states of all applications, in the order they were added. */
  list(): readonly ApplicationState[]
  /** Calls `listener` for each event of one type. Returns a function that takes it away again. */
  on<T extends EventType>(type: T, listener: Listener<EventOf<T>>): () => void
  /** Calls `listener` for every event. */
  onAny(listener: Listener<ApplicationEvent>): () => void
  /** Resolves when the application is ready, at `revision` where it is given. Throws `DEADLINE_EXCEEDED`. */
  waitFor(request: WaitRequest): Promise<ApplicationState>
  /** Consents to the plan with exactly this fingerprint. Throws `APPROVAL_MISMATCH` when another one waits. */
  approve(name: string, request: ApproveRequest): Promise<void>
  /** Stops applying; drift is still reported. */
  suspend(name: string, request: SuspendRequest): Promise<void>
  resume(name: string, request: { readonly by: string }): Promise<void>
  /** Brings an earlier revision back and keeps the newer one from being applied again. */
  rollback(name: string, request: RollbackRequest): Promise<RollbackResult>
  /** Pins an application to a revision until it is released. */
  hold(name: string, request: RollbackRequest): Promise<void>
  release(name: string, request: { readonly by: string; readonly reason: string }): Promise<void>
  /** Says what became of what an interrupted run left behind. */
  resolveSuspects(name: string, request: ResolveRequest): Promise<void>
  /** Finished runs that did something or failed, newest first. */
  history(query?: HistoryQuery): AsyncIterable<RunRecord>
  /** The audit log, oldest first. */
  audit(): AsyncIterable<AuditRecord>
  /** Finds out whether the audit log is as it was written. `head`, kept from an earlier verdict, also finds a log that was cut off. */
  verifyAudit(head?: AuditHead): Promise<AuditVerdict>
}

/**
 * A reconciler that does nothing yet: `start` it, or call `reconcile`.
 *
 * Throws `CONFIG_INVALID`, naming the option and what is allowed, `APPLICATION_DUPLICATE`, `DEPENDENCY_UNKNOWN` and
 * `DEPENDENCY_CYCLE`.
 */
export function createReconciler(options: ReconcilerOptions = {}): Reconciler {
  validateReconcilerOptions(options)
  const { applications = [] } = options
  applications.forEach(validateApplication)
  refuseDuplicates(applications)
  const engine = createEngine(options)
  checkDependencies(graphOf(applications))
  const polling = engine.share?.polling ?? createPolling(engine, () => ownCall(engine))
  const notifying = notifyAll(engine, options.notifiers ?? [])
  const adding = applications.map((application) => addMember(engine, application))
  const ready = Promise.all(adding).then(() => {})
  ready.catch(() => {})
  let wanted = false
  let started = false
  let stopping: Promise<void> | undefined

  const memberOf = async (name: string): Promise<Member> => {
    await ready
    return find(engine, name)
  }

  const start = (): void => {
    // Stopped again before it could begin.
    if (started || !wanted) return
    started = true
    engine.queue.start()
    for (const member of engine.members.values()) begin(member)
    engine.share?.start()
  }
  const begin = (member: Member): void => {
    polling.follow(member)
    // The source tells everybody who reads it; a failure is told as an event.
    if (engine.share === undefined) polling.poll(member.source).catch(() => {})
  }
  const stop = async (): Promise<void> => {
    wanted = false
    started = false
    polling.stop()
    for (const member of engine.members.values()) member.stopWatch?.()
    await endRuns(engine, options.stopTimeoutMs ?? 30_000)
  }
  engine.queue.start()

  return {
    add: async (application) => {
      await ready
      validateApplication(application)
      checkDependencies(graphOf([...engine.members.values()].map((member) => member.application).concat(application)))
      const member = await addMember(engine, application)
      if (started) begin(member)
    },
    remove: async (name, { cascade = false } = {}) => {
      const member = await memberOf(name)
      polling.unfollow(member)
      await removeMember(engine, member, cascade)
    },
    start: () => {
      wanted = true
      stopping = undefined
      void ready.then(start, () => {})
    },
    stop: () => (stopping ??= stop()),
    plan: async (name) => preview(engine, await memberOf(name)),
    reconcile: async (name, runOptions = {}) => {
      const member = await memberOf(name)
      engine.queue.start()
      return askFor(engine, member, runOptions, () => polling.poll(member.source))
    },
    trigger: (name) => void polling.poll(find(engine, name).source).catch(() => {}),
    status: (name) => stateOf(engine, name),
    explain: (name) => explain(stateOf(engine, name), engine.call.clock.now()),
    list: () => [...engine.feedback.states()],
    on: (type, listener) => engine.feedback.on(type, listener),
    onAny: (listener) => engine.feedback.onAny(listener),
    waitFor: async (request) => {
      await memberOf(request.application)
      return waitFor(engine, request)
    },
    approve: async (name, request) => approve(engine, await memberOf(name), request),
    suspend: async (name, request) => suspend(engine, await memberOf(name), request),
    resume: async (name, request) => resume(engine, await memberOf(name), request.by),
    rollback: async (name, request) => rollBack(engine, await memberOf(name), request),
    hold: async (name, request) => hold(engine, await memberOf(name), request),
    release: async (name, request) => release(engine, await memberOf(name), request),
    resolveSuspects: async (name, request) => resolveSuspects(engine, await memberOf(name), request),
    history: (query = {}) => engine.ledger.history(query, ownCall(engine)),
    audit: () => engine.ledger.audit({}, ownCall(engine)),
    verifyAudit: (head) => verifyAudit(engine.ledger.audit({}, ownCall(engine)), head),
    [Symbol.asyncDispose]: async () => {
      await (stopping ??= stop())
      notifying.stop()
      engine.feedback.clear()
      await releaseAll(engine)
    },
  }
}

function createEngine(options: ReconcilerOptions): Engine {
  const { clock, random, log, ledger = memoryLedger() } = options
  const call = createCall({
    ...(clock && { clock }),
    ...(random && { random }),
    ...(log && { log: structuredLog(log) }),
  })
  if (options.ledger === undefined) {
    call.log.warn(
      'No ledger was given: what is owned is forgotten when the process ends, and nothing left behind is pruned.',
    )
  }
  const feedback = createFeedback(call)
  const limits = {
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    ...(options.targetConcurrency !== undefined && { targetConcurrency: options.targetConcurrency }),
    ...(options.tenantConcurrency !== undefined && { tenantConcurrency: options.tenantConcurrency }),
  }
  let seal: ReturnType<Engine['seal']> | undefined
  const alone = createQueue({
    clock: call.clock,
    work: async (name, work) => void (await workOn(engine, name, work)),
  })
  const engine: Engine = {
    call,
    ledger,
    feedback,
    pools: createPools({ clock: call.clock, ...limits }),
    get queue() {
      return share?.queue ?? alone
    },
    get share() {
      return share
    },
    members: createMembers(),
    tenantLimit: options.tenantConcurrency,
    observeTimeoutMs: options.observeTimeoutMs ?? 60_000,
    sourceTimeoutMs: options.sourceTimeoutMs ?? 300_000,
    seal: () => {
      seal ??= keyOf(ledger, call).then(createSeal)
      // A ledger that could not be read this time is asked again.
      seal.catch(() => (seal = undefined))
      return seal
    },
  }
  const share = ledger.queue === undefined ? undefined : createShare(engine, ledger.queue)
  return engine
}

function refuseDuplicates(applications: readonly Application[]): void {
  const seen = new Set<string>()
  const names = applications.map(({ name }) => name)
  const twice = names.find((name) => seen.size === seen.add(name).size)
  if (twice !== undefined) {
    throw new GitOpsError(
      'APPLICATION_DUPLICATE',
      `Two applications are called ${JSON.stringify(twice)}. Give each a name of its own.`,
    )
  }
}

function keyOf(ledger: Ledger, call: Call): Promise<Uint8Array> {
  return withDeadline(call, LEDGER_TIMEOUT_MS, 'Reading the installation key', (timed) => ledger.installKey(timed))
}

function graphOf(applications: readonly Application[]): ReadonlyMap<string, readonly string[]> {
  return new Map(applications.map(({ name, dependsOn = [] }) => [name, dependsOn]))
}

function find(engine: Engine, name: string): Member {
  const member = engine.members.get(name)
  if (member !== undefined) return member
  const names = [...engine.members.keys()].slice(0, 20).join(', ')
  const there = names === '' ? 'There are none.' : `There are: ${names}.`
  throw new GitOpsError('APPLICATION_UNKNOWN', `There is no application ${JSON.stringify(name)}. ${there}`)
}

function stateOf(engine: Engine, name: string): ApplicationState {
  const member = find(engine, name)
  const state = engine.feedback.state(member.name)
  if (state === undefined)
    throw new GitOpsError('APPLICATION_UNKNOWN', `${name} is being added. Wait for \`add\` to resolve.`)
  return state
}

/** One run for a caller: the source is asked first, so that the run works on what is there now. */
function askFor(engine: Engine, member: Member, options: RunOptions, poll: () => Promise<unknown>): Promise<RunResult> {
  return new Promise<RunResult>((settle, fail) => {
    const asked: Asked = { options: { trigger: 'manual', ...options }, isReady: false, settle, fail }
    member.asked.push(asked)
    const run = (): void => {
      asked.isReady = true
      // The answer of the source may have begun that run already.
      if (member.asked.includes(asked)) engine.queue.add(member.name, { trigger: 'manual', priority: 10 })
    }
    // A source that cannot be read fails the run itself, which then says so. What is in force stays.
    poll().then(run, () => {
      member.asksAgain = true
      member.headUnseen = true
      run()
    })
  })
}

/** Waits end at once; what is being applied may finish within the time that is given. */
async function endRuns({ members, queue, feedback, call }: Engine, timeoutMs: number): Promise<void> {
  const reason = new GitOpsError('CANCELLED', 'The reconciler was stopped.', { details: { ended: 'cancelled' } })
  const end = (all: boolean): void => {
    for (const { run, name } of members.values()) {
      if (all || feedback.state(name)?.phase === 'waiting') run?.controller.abort(reason)
    }
  }
  end(false)
  const timer = call.clock.setTimer(timeoutMs, () => end(true))
  await queue.stop()
  timer.cancel()
  for (const member of members.values()) {
    for (const { fail } of member.asked.splice(0)) fail(reason)
  }
}

async function releaseAll({ members, ledger }: Engine): Promise<void> {
  const held = [...members.values()].flatMap(({ target, source }) => [target, source])
  for (const one of new Set([...held, ledger])) await one[Symbol.asyncDispose]?.()
}
