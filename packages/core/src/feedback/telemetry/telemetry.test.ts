import * as api from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { memoryLedger } from '../../ledger/memory.ts'
import type { PolicyOptions } from '../../reconciler/policy/policy.ts'
import { createReconciler } from '../../reconciler/reconciler.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/log.ts'
import { seededRandom } from '../../runtime/random.ts'
import { memorySource } from '../../source/memory.ts'
import { logEvents, measureRuns, prometheusMetrics, traceRuns } from '../../telemetry.ts'
import { manualClock } from '../../testing/clock.ts'
import { type MemoryTargetOptions, memoryTarget } from '../../testing/memory-target.ts'

const exporter = new InMemorySpanExporter()
api.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))

function setUp(policy: PolicyOptions = {}, options: MemoryTargetOptions = {}, names: readonly string[] = ['shop']) {
  exporter.reset()
  const clock = manualClock()
  const sources = names.map(() => memorySource({ files: { 'flag/a.json': { on: true }, 'flag/b.json': { on: true } } }))
  const target = () => memoryTarget(options)
  const reconciler = createReconciler({
    applications: names.map((name, index) => ({
      name,
      source: sources[index]!,
      target: target(),
      policy: { prune: true, healthTimeoutMs: 60_000, ...policy },
    })),
    ledger: memoryLedger({ installKey: new Uint8Array(32) }),
    clock,
    random: seededRandom(1),
  })
  return { clock, source: sources[0]!, reconciler }
}

const millis = ([seconds, nanos]: [number, number]) => seconds * 1000 + Math.round(nanos / 1e6)

/** The spans as a tree of names with their results, in the order in which they began. */
function tree(spans: readonly ReadableSpan[], parent?: string): readonly unknown[] {
  return spans
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
    .toSorted((left, right) => millis(left.startTime) - millis(right.startTime))
    .map((span) => {
      const { name, attributes } = span
      const result = String(attributes['cicd.pipeline.result'] ?? attributes['cicd.pipeline.task.run.result'])
      const below = tree(spans, span.spanContext().spanId)
      return below.length === 0 ? `${name}: ${result}` : [`${name}: ${result}`, ...below]
    })
}

test('a run is one trace: its activities in order, the steps of the apply below it, and the wait for health with its time', async () => {
  let healthy = false
  const { reconciler, clock } = setUp({}, { health: () => (healthy ? 'healthy' : 'progressing') })
  traceRuns(reconciler, { api, runUrl: (application, runId) => `https://platform.example/${application}/${runId}` })
  const running = reconciler.reconcile('shop')
  await clock.advance(20_000)
  healthy = true
  await clock.advance(40_000)
  const { runId, revision } = await running
  const spans = exporter.getFinishedSpans()
  expect(tree(spans)).toEqual([
    [
      'SYNC shop: success',
      'resolve: success',
      'resolve: success',
      'declare: success',
      'observe: success',
      'plan: success',
      'record: success',
      'record: success',
      ['apply: success', 'assess Sync wave 0: success', 'apply Sync wave 0: success'],
      'assess: success',
      'record: success',
    ],
  ])
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1)
  const run = spans.find(({ name }) => name === 'SYNC shop')
  expect(run?.kind).toBe(api.SpanKind.SERVER)
  expect(run?.attributes).toEqual({
    'cicd.pipeline.name': 'shop',
    'cicd.pipeline.action.name': 'SYNC',
    'cicd.pipeline.run.id': runId,
    'cicd.pipeline.run.url.full': `https://platform.example/shop/${runId}`,
    'cicd.pipeline.result': 'success',
    'gitops.outcome': 'applied',
    'gitops.trigger': 'manual',
    'vcs.ref.head.revision': revision?.id,
  })
  const assess = spans.find(({ name }) => name === 'assess')
  expect(millis(assess!.duration)).toBeGreaterThanOrEqual(20_000)
  expect(millis(run!.startTime)).toBe(Date.UTC(2030, 0, 1))
})

test('a failure marks the run, the activity, and every change that did not succeed', async () => {
  const refuse = (operation: string): void => {
    if (operation === 'write') throw new GitOpsError('TARGET_REFUSED', 'No room.')
  }
  const { reconciler } = setUp({}, { before: refuse })
  traceRuns(reconciler, { api })
  await reconciler.reconcile('shop')
  const spans = exporter.getFinishedSpans()
  const failed = spans.filter(({ status }) => status.code === api.SpanStatusCode.ERROR)
  expect(failed.map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
    ['apply', 'TARGET_REFUSED'],
    ['apply Sync wave 0', 'TARGET_REFUSED'],
    ['SYNC shop', 'TARGET_REFUSED'],
  ])
  const run = spans.find(({ name }) => name === 'SYNC shop')
  expect(run?.attributes['cicd.pipeline.result']).toBe('failure')
  expect(run?.events.map(({ attributes }) => attributes?.['gitops.resource'])).toEqual(['flag a', 'flag b'])
})

test('the wait for an approval belongs to the run that asked, and the run that applies points to it', async () => {
  const { reconciler, clock, source } = setUp({ mode: 'approve' })
  traceRuns(reconciler, { api })
  const first = await reconciler.reconcile('shop')
  await clock.advance(5_000)
  source.commit({ 'flag/c.json': { on: true } })
  const second = await reconciler.reconcile('shop')
  await clock.advance(90_000)
  await reconciler.approve('shop', { fingerprint: second.plan!.fingerprint, by: 'ann' })
  await reconciler.reconcile('shop')
  await clock.settle()
  const spans = exporter.getFinishedSpans()
  const waits = spans.filter(({ name }) => name === 'approve')
  expect(
    waits.map(({ attributes, duration }) => [attributes['cicd.pipeline.task.run.result'], millis(duration)]),
  ).toEqual([
    ['skip', 5_000],
    ['success', 90_000],
  ])
  const runs = spans.filter(({ name }) => name === 'SYNC shop')
  expect(runs.map(({ attributes }) => attributes['gitops.outcome'])).toEqual(['blocked', 'blocked', 'applied'])
  expect(first.outcome).toBe('blocked')
  expect(waits[1]?.spanContext().traceId).toBe(runs[1]?.spanContext().traceId)
  expect(runs[2]?.links.map(({ context }) => context.spanId)).toEqual([waits[1]?.spanContext().spanId])
})

test('a quiet run writes no span', async () => {
  const { reconciler } = setUp()
  await reconciler.reconcile('shop')
  traceRuns(reconciler, { api })
  exporter.reset()
  expect((await reconciler.reconcile('shop')).outcome).toBe('unchanged')
  expect(exporter.getFinishedSpans()).toEqual([])
})

test('OpenTelemetry and the page for Prometheus say the same', async () => {
  const memory = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: memory, exportIntervalMillis: 2 ** 30 })
  const provider = new MeterProvider({ readers: [reader] })
  api.metrics.setGlobalMeterProvider(provider)
  const { reconciler, source } = setUp({ selfHeal: false })
  measureRuns(reconciler, { api })
  const prometheus = prometheusMetrics(reconciler)
  await reconciler.reconcile('shop')
  source.commit({ 'flag/a.json': null, 'flag/b.json': '{' })
  await reconciler.reconcile('shop')
  await provider.forceFlush()
  const points = memory
    .getMetrics()
    .at(-1)!
    .scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => {
          const labels = Object.entries(attributes).map(
            ([key, text]) => `${key.replaceAll('.', '_')}="${String(text)}"`,
          )
          const count = typeof value === 'number' ? value : value.count
          return `${descriptor.name.replaceAll('.', '_')}{${labels.join(',')}} ${count}`
        }),
      ),
    )
  const lines = prometheus
    .text()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !/_bucket|_sum/.test(line))
    .map((line) => line.replace(/_seconds_count|_total/, ''))
  expect(lines.toSorted()).toEqual(points.toSorted())
  expect(lines).toContain('cicd_pipeline_run_errors{cicd_pipeline_name="shop",error_type="DECLARATION_INVALID"} 1')
  await provider.shutdown()
})

test('the page for Prometheus is what Prometheus reads', async () => {
  const { reconciler } = setUp()
  const prometheus = prometheusMetrics(reconciler)
  await reconciler.reconcile('shop')
  expect(prometheus.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  const lines = prometheus.text().split('\n')
  expect(lines.slice(0, 3)).toEqual([
    '# HELP cicd_pipeline_run_duration_seconds How long a run took, and how it ended.',
    '# TYPE cicd_pipeline_run_duration_seconds histogram',
    'cicd_pipeline_run_duration_seconds_bucket{cicd_pipeline_name="shop",cicd_pipeline_run_state="executing",cicd_pipeline_result="success",le="0.05"} 1',
  ])
  expect(lines.filter((line) => line.includes('le="+Inf"') && line.includes('observe'))).toEqual([
    'gitops_activity_duration_seconds_bucket{gitops_activity="observe",gitops_result="success",le="+Inf"} 1',
  ])
  expect(lines.filter((line) => line.startsWith('gitops_application'))).toEqual([
    'gitops_application_state{cicd_pipeline_name="shop",gitops_alignment="aligned",gitops_health="healthy",gitops_phase="idle"} 1',
    'gitops_application_drift{cicd_pipeline_name="shop"} 0',
    'gitops_application_failures{cicd_pipeline_name="shop"} 0',
    'gitops_application_needs_person{cicd_pipeline_name="shop"} 0',
  ])
  expect(lines.at(-1)).toBe('')
})

test('applications beyond the limit are counted together, and one that is gone makes room', async () => {
  const names = ['one', 'two', 'three', 'four']
  const { reconciler } = setUp({}, {}, names)
  const prometheus = prometheusMetrics(reconciler, { maxApplications: 2 })
  for (const name of names) await reconciler.reconcile(name)
  const changes = () =>
    prometheus
      .text()
      .split('\n')
      .filter((line) => line.startsWith('gitops_changes_total'))
      .map((line) => line.replace(/^.*name="(\w+)".* (\d+)$/, '$1 $2'))
  expect(changes()).toEqual(['one 2', 'two 2', '_other 4'])
  expect(prometheus.text()).toContain('alignment="aligned",gitops_health="healthy",gitops_phase="idle"} 2')
  await reconciler.remove('one')
  expect(changes()).toEqual(['two 2', '_other 4'])
  expect(() => prometheusMetrics(reconciler, { maxApplications: 0 })).toThrow('maxApplications')
})

test('every event is a line with its fields, at the level of what it asks of a person', async () => {
  const lines: unknown[] = []
  const at =
    (level: string) =>
    (message: string, ...fields: readonly unknown[]): void =>
      void lines.push([level, message, ...fields])
  const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const { reconciler, source } = setUp()
  const stop = logEvents(reconciler, log)
  source.commit({ 'flag/a.json': '{' })
  const { runId } = await reconciler.reconcile('shop')
  stop()
  await reconciler.reconcile('shop')
  expect(lines).toEqual(
    expect.arrayContaining([
      [
        'debug',
        expect.stringMatching(/^shop is being reconciled/),
        expect.objectContaining({ event: 'started', runId }),
      ],
      [
        'error',
        expect.stringContaining('shop failed to declare'),
        expect.objectContaining({
          application: 'shop',
          runId,
          error: expect.objectContaining({ code: 'DECLARATION_INVALID' }),
        }),
      ],
    ]),
  )
  expect(lines.filter((line) => JSON.stringify(line).includes('"event":"failed"'))).toHaveLength(1)
})
