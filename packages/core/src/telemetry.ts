export { logEvents } from './feedback/telemetry/log-events.ts'
export { type MeasureOptions, measureRuns } from './feedback/telemetry/measure.ts'
export type { CardinalityOptions } from './feedback/telemetry/names.ts'
export type { Observed } from './feedback/telemetry/observed.ts'
export type {
  Adding,
  Attributes,
  GaugeResult,
  InstrumentOptions,
  Meter,
  ObservableGauge,
  OpenTelemetry,
  Span,
  SpanContext,
  SpanOptions,
  Tracer,
} from './feedback/telemetry/open-telemetry.ts'
export { type PrometheusMetrics, prometheusMetrics } from './feedback/telemetry/prometheus.ts'
export { type TraceOptions, traceRuns } from './feedback/telemetry/trace.ts'
