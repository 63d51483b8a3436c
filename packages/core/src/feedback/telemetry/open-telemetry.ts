/** What is used of the package `@opentelemetry/api`: pass the module itself. */
export interface OpenTelemetry {
  readonly ROOT_CONTEXT: unknown
  readonly trace: {
    getTracer(name: string): Tracer
    setSpan(context: unknown, span: Span): unknown
  }
  readonly metrics: { getMeter(name: string): Meter }
}

/** What is used of a tracer. */
export interface Tracer {
  startSpan(name: string, options: SpanOptions, context: unknown): Span
}

/** With what a span begins. */
export interface SpanOptions {
  readonly kind: number
  readonly startTime: [seconds: number, nanoseconds: number]
  readonly attributes: Attributes
  readonly links?: { readonly context: SpanContext; readonly attributes?: Attributes }[]
}

/** What is used of a span. */
export interface Span {
  spanContext(): SpanContext
  addEvent(name: string, attributes: Attributes, time: [seconds: number, nanoseconds: number]): unknown
  setStatus(status: { code: number; message?: string }): unknown
  end(time: [seconds: number, nanoseconds: number]): void
}

/** Which span it is, for a link. */
export interface SpanContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
}

/** What is used of a meter. */
export interface Meter {
  createCounter(name: string, options: InstrumentOptions): Adding
  createUpDownCounter(name: string, options: InstrumentOptions): Adding
  createHistogram(name: string, options: InstrumentOptions): { record(value: number, attributes: Attributes): void }
  createObservableGauge(name: string, options: InstrumentOptions): ObservableGauge
}

/** What is said of a metric. */
export interface InstrumentOptions {
  readonly description: string
  readonly unit: string
  readonly advice?: { readonly explicitBucketBoundaries: number[] }
}

/** What is used of a counter. */
export interface Adding {
  add(value: number, attributes: Attributes): void
}

/** What is used of a gauge that is asked. */
export interface ObservableGauge {
  addCallback(observe: (result: GaugeResult) => void): void
  removeCallback(observe: (result: GaugeResult) => void): void
}

/** Receives the values of a gauge. */
export interface GaugeResult {
  observe(value: number, attributes: Attributes): void
}

/** Names and values of a span or a measurement. */
export type Attributes = Record<string, string | number | boolean>

/** The scope that spans and instruments are created in. */
export const SCOPE = '@gitops-sdk/core'
