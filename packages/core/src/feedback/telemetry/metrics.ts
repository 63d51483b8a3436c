import type { ApplicationEvent, EventOf } from '../events.ts'
import type { ApplicationState } from '../state.ts'
import { type PipelineResult, resultOf } from './result.ts'

/** One measured quantity. Names, units and labels follow the conventions of OpenTelemetry where there are any. */
export interface Metric {
  readonly name: string
  readonly kind: 'counter' | 'upDownCounter' | 'histogram' | 'gauge'
  /** In the notation of UCUM: `s`, `{run}`. */
  readonly unit: string
  readonly help: string
}

/** One value, and what it is about. */
export interface Sample {
  readonly metric: Metric
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
}

/** The name under which an application is counted. */
export type NameOf = (application: string) => string

/** Upper bounds of the buckets of a duration, in seconds. */
export const durationBuckets: readonly number[] = [0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600]

type MetricKey =
  | 'runDuration'
  | 'runsActive'
  | 'runErrors'
  | 'systemErrors'
  | 'activity'
  | 'changes'
  | 'drifts'
  | 'state'
  | 'drift'
  | 'failures'
  | 'needsPerson'

/** Every metric. */
export const metrics: Readonly<Record<MetricKey, Metric>> = {
  runDuration: metric('cicd.pipeline.run.duration', 'histogram', 's', 'How long a run took, and how it ended.'),
  runsActive: metric('cicd.pipeline.run.active', 'upDownCounter', '{run}', 'Runs under way.'),
  runErrors: metric('cicd.pipeline.run.errors', 'counter', '{error}', 'Failures of runs, by error code.'),
  systemErrors: metric('cicd.system.errors', 'counter', '{error}', 'Failures to ask a source, by error code.'),
  activity: metric('gitops.activity.duration', 'histogram', 's', 'How long one activity of a run took.'),
  changes: metric('gitops.changes', 'counter', '{change}', 'Changes to targets, by action and how they went.'),
  drifts: metric('gitops.drifts', 'counter', '{drift}', 'Drifts found.'),
  state: metric('gitops.application.state', 'gauge', '{application}', 'Applications in each state.'),
  drift: metric('gitops.application.drift', 'gauge', '{drift}', 'Drifts that are there now.'),
  failures: metric('gitops.application.failures', 'gauge', '{run}', 'Failed runs in a row.'),
  needsPerson: metric(
    'gitops.application.needs_person',
    'gauge',
    '{application}',
    'Applications that wait for a person.',
  ),
}

function metric(name: string, kind: Metric['kind'], unit: string, help: string): Metric {
  return { name, kind, unit, help }
}

/** Turns events into samples. Keeps the code of a failure until its run has ended. */
export function createSampler(nameOf: NameOf): (event: ApplicationEvent) => readonly Sample[] {
  const failed = new Map<string, EventOf<'failed'>>()
  return (event) => {
    const name = { 'cicd.pipeline.name': nameOf(event.application) }
    if (event.type === 'started') {
      failed.delete(event.application)
      return [active(name, 1)]
    }
    if (event.type === 'failed') {
      if (event.runId !== undefined) failed.set(event.application, event)
      return [failure(name, event)]
    }
    if (event.type === 'finished') {
      const code = failed.get(event.application)?.error.code
      return [active(name, -1), ended(name, event, resultOf(event.outcome, code)), ...event.timings.flatMap(activity)]
    }
    if (event.type === 'changed') return [changed(name, event)]
    if (event.type === 'drifted')
      return [{ metric: metrics.drifts, value: 1, labels: { ...name, 'gitops.drift.kind': event.drift.kind } }]
    return []
  }
}

type Name = Readonly<Record<'cicd.pipeline.name', string>>

function active(name: Name, value: 1 | -1): Sample {
  return { metric: metrics.runsActive, value, labels: { ...name, 'cicd.pipeline.run.state': 'executing' } }
}

function ended(name: Name, { durationMs }: EventOf<'finished'>, result: PipelineResult): Sample {
  const labels = { ...name, 'cicd.pipeline.run.state': 'executing', 'cicd.pipeline.result': result }
  return { metric: metrics.runDuration, value: durationMs / 1000, labels }
}

/** Steps lie within the apply, so only the apply as a whole counts. */
function activity({ activity: what, durationMs, step, code }: EventOf<'finished'>['timings'][number]): Sample[] {
  if (step !== undefined) return []
  const labels = { 'gitops.activity': what, 'gitops.result': code === undefined ? 'success' : 'failure' }
  return [{ metric: metrics.activity, value: durationMs / 1000, labels }]
}

function failure(name: Name, { error, runId }: EventOf<'failed'>): Sample {
  const labels = { 'error.type': error.code }
  if (runId !== undefined) return { metric: metrics.runErrors, value: 1, labels: { ...name, ...labels } }
  return { metric: metrics.systemErrors, value: 1, labels: { 'cicd.system.component': 'source', ...labels } }
}

function changed(name: Name, { action, status }: EventOf<'changed'>): Sample {
  return { metric: metrics.changes, value: 1, labels: { ...name, 'gitops.action': action, 'gitops.status': status } }
}

/** What is measured by looking: the states as they are now. Values of applications that share a name are added up. */
export function gaugesOf(states: readonly ApplicationState[], nameOf: NameOf): readonly Sample[] {
  const sums = new Map<string, Sample>()
  for (const sample of states.flatMap((state) => gauges(state, nameOf(state.application)))) {
    const key = JSON.stringify([sample.metric.name, sample.labels])
    sums.set(key, { ...sample, value: sample.value + (sums.get(key)?.value ?? 0) })
  }
  return [...sums.values()]
}

function gauges(state: ApplicationState, application: string): readonly Sample[] {
  const name = { 'cicd.pipeline.name': application }
  const { alignment, health, phase, drift, failures, pending, suspects } = state
  const is = { ...name, 'gitops.alignment': alignment, 'gitops.health': health, 'gitops.phase': phase }
  const waits = pending !== undefined || suspects.length > 0
  return [
    { metric: metrics.state, value: 1, labels: is },
    { metric: metrics.drift, value: drift.length, labels: name },
    { metric: metrics.failures, value: failures, labels: name },
    { metric: metrics.needsPerson, value: waits ? 1 : 0, labels: name },
  ]
}
