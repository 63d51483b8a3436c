/** What is allowed, in the keywords of JSON Schema as far as options need them. `shape` is ours: what JSON cannot say. */
export interface OptionSchema {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean'
  readonly enum?: readonly unknown[]
  readonly shape?: 'function' | 'object'
  readonly properties?: Readonly<Record<string, OptionSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | OptionSchema
  readonly items?: OptionSchema
  readonly uniqueItems?: boolean
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minProperties?: number
}

const text: OptionSchema = { type: 'string', minLength: 1, maxLength: 1_000 }
const flag: OptionSchema = { type: 'boolean' }
const count: OptionSchema = { type: 'integer', minimum: 0 }
const ratio: OptionSchema = { type: 'number', minimum: 0, maximum: 1 }
const func: OptionSchema = { shape: 'function' }
const object: OptionSchema = { shape: 'object' }

/** No duration is longer than a hundred years: a larger number is a mistake in the unit. */
const MAX_DURATION_MS = 100 * 366 * 86_400_000

const durationMs: OptionSchema = { type: 'number', exclusiveMinimum: 0, maximum: MAX_DURATION_MS }
const durationOrZeroMs: OptionSchema = { type: 'number', minimum: 0, maximum: MAX_DURATION_MS }

const list = (items: OptionSchema): OptionSchema => ({ type: 'array', items })

const options = (properties: Readonly<Record<string, OptionSchema>>, ...required: readonly string[]): OptionSchema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

const resourceRef = options({ group: text, kind: text, namespace: text, name: text }, 'kind', 'name')

const window = options(
  { name: text, kind: { enum: ['allow', 'deny'] }, cron: text, durationMs, timeZone: text, allowManual: flag },
  'kind',
  'cron',
  'durationMs',
)

const ignoreRule: OptionSchema = {
  ...options({
    name: text,
    group: text,
    kind: text,
    namespace: text,
    resource: text,
    paths: list({ type: 'string' }),
    actors: list(text),
  }),
  minProperties: 1,
}

const policy = options({
  mode: { enum: ['observe', 'approve', 'automatic'] },
  prune: flag,
  selfHeal: { enum: [true, false, 'adopt'] },
  allowEmpty: flag,
  protect: options({ kinds: list(text), resources: list(resourceRef) }),
  maxChanges: count,
  maxDeletions: count,
  windows: list(window),
  guards: list(func),
  guardTimeoutMs: durationMs,
  ignore: list(ignoreRule),
  retry: options({
    baseMs: durationMs,
    factor: { type: 'number', minimum: 1, maximum: 100 },
    maxMs: durationMs,
    jitter: ratio,
    limit: count,
  }),
  intervalMs: durationOrZeroMs,
  jitter: ratio,
  driftIntervalMs: durationOrZeroMs,
  healthTimeoutMs: durationMs,
  approvalLifetimeMs: durationMs,
  oscillationLimit: { type: 'integer', minimum: 1 },
})

const source: OptionSchema = {
  ...object,
  properties: { id: text, resolve: func, snapshot: func },
  required: ['id', 'resolve', 'snapshot'],
}

const target: OptionSchema = {
  ...object,
  properties: {
    kind: text,
    id: text,
    contract: { enum: [1] },
    supports: object,
    declare: func,
    observe: func,
    plan: func,
    apply: func,
    assess: func,
  },
  required: ['kind', 'id', 'contract', 'supports', 'declare', 'observe', 'plan', 'apply', 'assess'],
}

/** The options of one application. */
export const applicationSchema: OptionSchema = options(
  {
    name: { type: 'string', minLength: 1, maxLength: 253 },
    source,
    target,
    policy,
    dependsOn: { ...list(text), uniqueItems: true },
    tenant: { type: 'string', minLength: 1, maxLength: 253 },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    ready: func,
  },
  'name',
  'source',
  'target',
)

/** The options of a reconciler. The applications in it are judged one by one. */
export const reconcilerSchema: OptionSchema = options({
  applications: list(object),
  ledger: {
    ...object,
    properties: { read: func, commit: func, applications: func, history: func, audit: func, installKey: func },
    required: ['read', 'commit', 'applications', 'history', 'audit', 'installKey'],
  },
  concurrency: { type: 'integer', minimum: 1 },
  targetConcurrency: { type: 'integer', minimum: 1 },
  tenantConcurrency: { type: 'integer', minimum: 1 },
  observeTimeoutMs: durationMs,
  sourceTimeoutMs: durationMs,
  stopTimeoutMs: durationOrZeroMs,
  notifiers: list(object),
  clock: {
    ...object,
    properties: { now: func, monotonic: func, setTimer: func },
    required: ['now', 'monotonic', 'setTimer'],
  },
  random: { ...object, properties: { next: func }, required: ['next'] },
  log: {
    ...object,
    properties: { debug: func, info: func, warn: func, error: func },
    required: ['debug', 'info', 'warn', 'error'],
  },
})
