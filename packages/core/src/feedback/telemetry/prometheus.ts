import { type Metric, type Sample, createSampler, durationBuckets, gaugesOf, metrics } from './metrics.ts'
import { type CardinalityOptions, createNames } from './names.ts'
import type { Observed } from './observed.ts'

/** The metrics of a reconciler as a page that Prometheus reads. */
export interface PrometheusMetrics {
  /** The value of the header `Content-Type`. */
  readonly contentType: string
  /** Everything counted so far, and the states as they are now. */
  text(): string
  /** Ends the counting. */
  stop(): void
}

interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** The sum of all values. */
  sum: number
  count: number
  /** How many values fell into each bucket; the last one has no upper bound. */
  readonly buckets: number[]
}

type Table = Map<Metric, Map<string, Series>>

/**
 * Counts what `reconciler` does from now on. The same names and labels as `measureRuns`, as an exporter of OpenTelemetry would
 * write them: dots become underscores, seconds and totals say so. What is counted of an application goes with it.
 */
export function prometheusMetrics(reconciler: Observed, limit: CardinalityOptions = {}): PrometheusMetrics {
  const names = createNames(limit)
  const samplesOf = createSampler(names.nameOf)
  const counted: Table = new Map()
  const stop = reconciler.onAny((event) => {
    samplesOf(event).forEach((sample) => add(counted, sample))
    if (event.type === 'removed') forget(counted, names, event.application)
  })
  return {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    text: () => {
      const now: Table = new Map(counted)
      for (const sample of gaugesOf(reconciler.list(), names.nameOf)) add(now, sample)
      return Object.values(metrics)
        .map((metric) => page(metric, [...(now.get(metric)?.values() ?? [])]))
        .join('')
    },
    stop,
  }
}

function add(table: Table, { metric, labels, value }: Sample): void {
  const all = table.get(metric) ?? new Map<string, Series>()
  table.set(metric, all)
  const key = JSON.stringify(labels)
  const series = all.get(key) ?? { labels, sum: 0, count: 0, buckets: [...durationBuckets, Infinity].map(() => 0) }
  all.set(key, series)
  series.sum += value
  series.count++
  const bounded = durationBuckets.findIndex((bound) => value <= bound)
  const bucket = bounded === -1 ? durationBuckets.length : bounded
  series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1
}

function forget(table: Table, names: ReturnType<typeof createNames>, application: string): void {
  names.release(application)
  for (const all of table.values()) {
    for (const [key, { labels }] of all) if (labels['cicd.pipeline.name'] === application) all.delete(key)
  }
}

function page(metric: Metric, all: readonly Series[]): string {
  if (all.length === 0) return ''
  const name = nameOf(metric)
  const type = metric.kind === 'upDownCounter' ? 'gauge' : metric.kind
  const lines = all.flatMap((series) =>
    type === 'histogram' ? histogram(name, series) : [line(name, series.labels, series.sum)],
  )
  return [`# HELP ${name} ${metric.help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n')
}

function nameOf({ name, unit, kind }: Metric): string {
  return `${underscored(name)}${unit === 's' ? '_seconds' : ''}${kind === 'counter' ? '_total' : ''}`
}

/** Prometheus wants each bucket to hold the smaller ones too. */
function histogram(name: string, { labels, sum, count, buckets }: Series): readonly string[] {
  let below = 0
  const bounds = [...durationBuckets.map(String), '+Inf']
  return [
    ...bounds.map((le, index) => line(`${name}_bucket`, { ...labels, le }, (below += buckets[index] ?? 0))),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ]
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${underscored(label)}="${escaped(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
}

function underscored(name: string): string {
  return name.replaceAll('.', '_')
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
