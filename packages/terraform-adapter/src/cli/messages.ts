/** A line of the machine-readable stream, as far as it is used. */
export type Message =
  | { readonly type: 'planned' | 'drifted'; readonly address: string }
  | { readonly type: 'started' | 'failed'; readonly address: string; readonly operation: string }
  | { readonly type: 'settled'; readonly address: string; readonly operation: string; readonly id?: ResourceId }
  | { readonly type: 'progress'; readonly address: string; readonly operation: string; readonly elapsedS: number }
  | { readonly type: 'refreshed' }
  | { readonly type: 'waiting' }
  | { readonly type: 'locked' }
  | { readonly type: 'diagnostic'; readonly diagnostic: Diagnostic }

/** What a provider calls a resource, and the attribute in which it says so. */
interface ResourceId {
  readonly key: string
  readonly value: string
}

/** A complaint of the binary. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  readonly summary: string
  readonly detail: string
  /** The resource it is about. */
  readonly address?: string
  readonly file?: string
  readonly line?: number
}

type Fields = Readonly<Record<string, unknown>>

/** Reads one line. Absent for what says nothing here, and for what is no message at all: prompts stand between them. */
export function messageOf(line: string): Message | undefined {
  // Most lines of a large plan: too many to parse for what they say.
  if (line.includes('"type":"refresh_start"')) return undefined
  if (line.includes('"type":"refresh_complete"')) return { type: 'refreshed' }
  const fields = fieldsOf(line)
  if (fields === undefined) return undefined
  const type = textOf(fields['type'])
  if (type === 'diagnostic') return { type, diagnostic: diagnosticOf(objectOf(fields['diagnostic'])) }
  if (type === 'state_lock_acquire') return { type: 'waiting' }
  if (type === 'state_lock_release') return { type: 'locked' }
  if (type === 'planned_change' || type === 'resource_drift') {
    const address = addressOf(objectOf(fields['change']))
    return { type: type === 'planned_change' ? 'planned' : 'drifted', address }
  }
  return hookMessage(type, objectOf(fields['hook']))
}

const hooks: Readonly<Record<string, 'started' | 'failed'>> = { apply_start: 'started', apply_errored: 'failed' }

function hookMessage(type: string, hook: Fields): Message | undefined {
  const address = addressOf(hook)
  const operation = textOf(hook['action'])
  if (type === 'apply_progress')
    return { type: 'progress', address, operation, elapsedS: Number(hook['elapsed_seconds'] ?? 0) }
  if (type === 'apply_complete') return { type: 'settled', address, operation, ...idOf(hook) }
  const known = hooks[type]
  return known === undefined ? undefined : { type: known, address, operation }
}

function idOf(hook: Fields): { id?: ResourceId } {
  const [key, value] = [textOf(hook['id_key']), textOf(hook['id_value'])]
  return key === '' || value === '' ? {} : { id: { key, value } }
}

function addressOf(holder: Fields): string {
  return textOf(objectOf(holder['resource'])['addr'])
}

function fieldsOf(line: string): Fields | undefined {
  const start = line.indexOf('{"@level"')
  if (start < 0) return undefined
  try {
    return objectOf(JSON.parse(line.slice(start)))
  } catch {
    return undefined
  }
}

function diagnosticOf(fields: Fields): Diagnostic {
  const range = objectOf(fields['range'])
  const start = objectOf(range['start'])
  return {
    severity: fields['severity'] === 'error' ? 'error' : 'warning',
    summary: textOf(fields['summary']),
    detail: textOf(fields['detail']),
    ...(typeof fields['address'] === 'string' && { address: fields['address'] }),
    ...(typeof range['filename'] === 'string' && { file: range['filename'] }),
    ...(typeof start['line'] === 'number' && { line: start['line'] }),
  }
}

function objectOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
