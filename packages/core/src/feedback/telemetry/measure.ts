import { type Metric, type Sample, createSampler, durationBuckets, gaugesOf, metrics } from './metrics.ts'
import { type CardinalityOptions, createNames } from './names.ts'
import type { Observed } from './observed.ts'
import { type InstrumentOptions, type Meter, type OpenTelemetry, SCOPE } from './open-telemetry.ts'

/** How runs are measured. */
export interface MeasureOptions extends CardinalityOptions {
  /** `await import('@opentelemetry/api')`. It is not a dependency of this library: who wants it installs it. */
  readonly api: OpenTelemetry
}

/**
 * Measures what `reconciler` does with the global meter of OpenTelemetry. Returns a function that ends it. Attributes have a
 * closed set of values but for the name of the application, of which there are at most `maxApplications`.
 */
export function measureRuns(reconciler: Observed, options: MeasureOptions): () => void {
  const meter = options.api.metrics.getMeter(SCOPE)
  const { nameOf } = createNames(options)
  const record = createRecorder(meter)
  const samplesOf = createSampler(nameOf)
  const stop = reconciler.onAny((event) => samplesOf(event).forEach(record))
  const stops = Object.values(metrics).flatMap((metric) => {
    if (metric.kind !== 'gauge') return []
    const gauge = meter.createObservableGauge(metric.name, optionsOf(metric))
    const observe: Parameters<typeof gauge.addCallback>[0] = (result) => {
      for (const { value, labels, ...sample } of gaugesOf(reconciler.list(), nameOf))
        if (sample.metric === metric) result.observe(value, { ...labels })
    }
    gauge.addCallback(observe)
    return [() => gauge.removeCallback(observe)]
  })
  return () => {
    stop()
    stops.forEach((end) => end())
  }
}

function createRecorder(meter: Meter): (sample: Sample) => void {
  const instruments = new Map(
    Object.values(metrics).map((metric): [Metric, (value: number, labels: Record<string, string>) => void] => {
      const options = optionsOf(metric)
      if (metric.kind === 'histogram') {
        const histogram = meter.createHistogram(metric.name, options)
        return [metric, (value, labels) => histogram.record(value, labels)]
      }
      if (metric.kind === 'gauge') return [metric, () => {}]
      const create = metric.kind === 'counter' ? 'createCounter' : 'createUpDownCounter'
      const counter = meter[create](metric.name, options)
      return [metric, (value, labels) => counter.add(value, labels)]
    }),
  )
  return ({ metric, value, labels }) => instruments.get(metric)?.(value, { ...labels })
}

function optionsOf({ help, unit, kind }: Metric): InstrumentOptions {
  const advice = { explicitBucketBoundaries: [...durationBuckets] }
  return { description: help, unit, ...(kind === 'histogram' && { advice }) }
}
