import { stepText } from '../../plan/steps.ts'
import { label } from '../../desired/ref.ts'
import type { ApplicationEvent, EventOf, Timing } from '../events.ts'
import type { Observed } from './observed.ts'
import {
  type Attributes,
  type OpenTelemetry,
  SCOPE,
  type Span,
  type SpanContext,
  type Tracer,
} from './open-telemetry.ts'
import { type PipelineResult, resultOf, resultOfCode } from './result.ts'

/** How runs are traced. */
export interface TraceOptions {
  /** `await import('@opentelemetry/api')`. It is not a dependency of this library: who wants it installs it. */
  readonly api: OpenTelemetry
  /** The page of a run, for `cicd.pipeline.run.url.full`. @defaultValue none */
  readonly runUrl?: (application: string, runId: string) => string
}

const SERVER = 1
const INTERNAL = 0
const ERROR = 2

/** Changes that did not succeed and are told with a run; of more, the rest is in the history. */
const MAX_TOLD = 100

interface Told {
  readonly started: EventOf<'started'>
  failed?: EventOf<'failed'>
  revision?: string
  asked?: EventOf<'approvalRequested'>
  readonly troubles: EventOf<'changed'>[]
}

/** A plan that waits for a person, and the run that asked. */
interface Asked {
  readonly event: EventOf<'approvalRequested'>
  readonly parent: unknown
}

interface Tracing {
  readonly options: TraceOptions
  readonly tracer: Tracer
  readonly runs: Map<string, Told>
  readonly asked: Map<string, Asked>
  /** What a run goes on with: the approval it was waiting for. */
  readonly approved: Map<string, SpanContext>
}

/**
 * Writes one trace for every run with the global tracer of OpenTelemetry: the run, what it did in order, each step of an apply,
 * and the time for which a person was waited for. Names and attributes follow the conventions for pipelines (`cicd.*`). Spans
 * are written when the run has ended, with the times at which things happened. Returns a function that ends it.
 */
export function traceRuns(reconciler: Pick<Observed, 'onAny'>, options: TraceOptions): () => void {
  const tracer = options.api.trace.getTracer(SCOPE)
  const tracing: Tracing = { options, tracer, runs: new Map(), asked: new Map(), approved: new Map() }
  return reconciler.onAny((event) => follow(tracing, event))
}

function follow(tracing: Tracing, event: ApplicationEvent): void {
  const { application } = event
  if (event.type === 'started') return void tracing.runs.set(application, { started: event, troubles: [] })
  if (event.type === 'approved') return endApproval(tracing, event)
  if (event.type === 'removed') {
    tracing.asked.delete(application)
    return void tracing.approved.delete(application)
  }
  const told = tracing.runs.get(application)
  if (told === undefined) return
  if (event.type === 'finished') {
    tracing.runs.delete(application)
    return writeRun(tracing, told, event)
  }
  note(told, event)
}

function note(told: Told, event: ApplicationEvent): void {
  if (event.type === 'declared') told.revision = event.revision.id
  if (event.type === 'planned') told.revision = event.plan.revision.id
  if (event.type === 'failed') told.failed = event
  if (event.type === 'approvalRequested') told.asked = event
  if (event.type === 'changed' && event.status !== 'succeeded' && told.troubles.length < MAX_TOLD)
    told.troubles.push(event)
}

function writeRun(tracing: Tracing, told: Told, event: EventOf<'finished'>): void {
  const { api } = tracing.options
  const span = tracing.tracer.startSpan(
    `SYNC ${event.application}`,
    {
      kind: SERVER,
      startTime: timeOf(event.at - event.durationMs),
      attributes: runAttributes(tracing, told, event),
      ...linkTo(tracing.approved.get(event.application)),
    },
    api.ROOT_CONTEXT,
  )
  tracing.approved.delete(event.application)
  const context = api.trace.setSpan(api.ROOT_CONTEXT, span)
  writeTasks(tracing, event, context)
  for (const trouble of told.troubles) tell(span, trouble)
  if (told.failed !== undefined) span.setStatus({ code: ERROR, message: told.failed.error.message })
  span.end(timeOf(event.at))
  if (told.asked === undefined) return
  endWait(tracing, event.application, 'skip', told.asked.at)
  tracing.asked.set(event.application, { event: told.asked, parent: context })
}

function runAttributes(
  { options }: Tracing,
  told: Told,
  { application, runId, outcome }: EventOf<'finished'>,
): Attributes {
  const code = told.failed?.error.code
  return {
    'cicd.pipeline.name': application,
    'cicd.pipeline.action.name': 'SYNC',
    'cicd.pipeline.run.id': runId,
    'cicd.pipeline.result': resultOf(outcome, code),
    'gitops.outcome': outcome,
    'gitops.trigger': told.started.trigger,
    ...(code !== undefined && { 'error.type': code }),
    ...(told.revision !== undefined && { 'vcs.ref.head.revision': told.revision }),
    ...(options.runUrl && { 'cicd.pipeline.run.url.full': options.runUrl(application, runId) }),
  }
}

function linkTo(context: SpanContext | undefined): { links?: { context: SpanContext }[] } {
  return context === undefined ? {} : { links: [{ context }] }
}

/** Steps are written below the apply they lie in. */
function writeTasks(tracing: Tracing, event: EventOf<'finished'>, run: unknown): void {
  const { api } = tracing.options
  const whole = event.timings.filter(({ step }) => step === undefined)
  const contexts = whole.map((timing) => {
    const span = writeTask(tracing, event, timing, run)
    return { timing, context: api.trace.setSpan(run, span) }
  })
  const apply = contexts.find(({ timing }) => timing.activity === 'apply')
  for (const timing of event.timings) {
    if (timing.step !== undefined) writeTask(tracing, event, timing, apply?.context ?? run)
  }
}

function writeTask(tracing: Tracing, event: EventOf<'finished'>, timing: Timing, parent: unknown): Span {
  const { activity, startedAt, durationMs, step, code } = timing
  const name = step === undefined ? activity : `${activity} ${stepText(step)}`
  const attributes = {
    ...taskAttributes(name, `${event.runId}/${event.timings.indexOf(timing)}`, resultOfCode(code, 'success')),
    ...(activity === 'apply' && { 'cicd.pipeline.task.type': 'deploy' }),
    ...(code !== undefined && { 'error.type': code }),
  }
  const span = tracing.tracer.startSpan(name, { kind: INTERNAL, startTime: timeOf(startedAt), attributes }, parent)
  if (code !== undefined) span.setStatus({ code: ERROR, message: code })
  span.end(timeOf(startedAt + durationMs))
  return span
}

function taskAttributes(name: string, id: string, result: string): Attributes {
  return { 'cicd.pipeline.task.name': name, 'cicd.pipeline.task.run.id': id, 'cicd.pipeline.task.run.result': result }
}

function tell(span: Span, { ref, action, status, error, at }: EventOf<'changed'>): void {
  const attributes = { 'gitops.resource': label(ref), 'gitops.action': action, 'gitops.status': status }
  span.addEvent('change', { ...attributes, ...(error && { 'error.type': error.code }) }, timeOf(at))
}

function endApproval(tracing: Tracing, { application, fingerprint, at }: EventOf<'approved'>): void {
  if (tracing.asked.get(application)?.event.plan.fingerprint !== fingerprint) return
  const context = endWait(tracing, application, 'success', at)
  if (context !== undefined) tracing.approved.set(application, context)
}

/** The time between the question and the answer, in the trace of the run that asked. A newer question ends it without one. */
function endWait(tracing: Tracing, application: string, result: PipelineResult, at: number): SpanContext | undefined {
  const asked = tracing.asked.get(application)
  if (asked === undefined) return undefined
  tracing.asked.delete(application)
  const { plan, at: askedAt } = asked.event
  const attributes = taskAttributes('approve', plan.fingerprint, result)
  const startTime = timeOf(askedAt)
  const span = tracing.tracer.startSpan('approve', { kind: INTERNAL, startTime, attributes }, asked.parent)
  span.end(timeOf(at))
  return span.spanContext()
}

/** Seconds and nanoseconds: a plain number would be taken for the age of the process where it is small. */
function timeOf(epochMs: number): [number, number] {
  const seconds = Math.floor(epochMs / 1000)
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)]
}
