import type { Json, JsonObject } from '@gitops-sdk/core'
import type { RawAnswer } from './ask.ts'

/** Replaces what is different in every run by names in the order of their appearance: `uid 1`, `version 2`. */
export function normaliser(namespace: string): (answer: RawAnswer) => Json {
  const names = new Map<string, string>()
  const nameFor = (what: string, value: Json): string => {
    const key = `${what} ${String(value as string)}`
    const known = names.get(key) ?? `${what} ${[...names.values()].filter((each) => each.startsWith(what)).length + 1}`
    names.set(key, known)
    return known
  }
  const inText = (text: string): string =>
    text
      .replaceAll(namespace, 'shop')
      .replace(/ \(e\.g\. .*?\)(?=$|,|\])/g, '')
      .replace(/current: \d+/, 'current: a number')
      .replace(/\((\d+)\)/g, '(a number)')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (uid) => nameFor('uid', uid))
  const visit = (value: Json, field: string): Json => {
    if (typeof value === 'string') return normalText(field, value, nameFor, inText)
    if (Array.isArray(value))
      return field === 'managedFields'
        ? managers(visit(value, '') as JsonObject[])
        : value.map((each: Json) => visit(each, field))
    if (value === null || typeof value !== 'object') return value
    // A mark and a list are of the moment at which they are made, whoever else wrote meanwhile.
    const { type, object, items } = value as JsonObject
    if (type === 'BOOKMARK') return { type, object: visit(marked(object), '') }
    const timeless = Array.isArray(items) ? marked(value as JsonObject) : value
    const entries = Object.entries(timeless).filter(
      ([name, inner]) => !dropped.includes(name) && !(name === 'continue' && inner === ''),
    )
    return Object.fromEntries(entries.map(([name, inner]) => [inText(name), visit(inner, name)] as const))
  }
  return ({ status, warning, body }) => ({
    status,
    ...(warning !== undefined && { warning }),
    body: visit(body, ''),
  })
}

function marked(object: Json | undefined): JsonObject {
  const { metadata, ...rest } = object as JsonObject
  return { ...rest, metadata: { ...(metadata as JsonObject), resourceVersion: '' } }
}

/** Of this server and this moment, or of how much else there is. */
const dropped = ['remainingItemCount', 'storageVersionHash', 'deletionGracePeriodSeconds']

function normalText(
  field: string,
  value: string,
  nameFor: (what: string, value: Json) => string,
  inText: (text: string) => string,
): string {
  if (field === 'uid') return nameFor('uid', value)
  if (field === 'resourceVersion') return nameFor('version', value)
  if (field === 'continue' && value !== '') return 'a token'
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return 'a time'
  if (/^10\.0\.\d+\.\d+$/.test(value)) return 'an address'
  return inText(value)
}

/**
 * In the order of their names: two entries of one second have no order. In those of updates, `.` is left out, because
 * which structs are there from the beginning is a matter of Go.
 */
function managers(entries: readonly JsonObject[]): Json {
  const normal = entries.map(({ time, fieldsV1, ...entry }) => ({
    ...entry,
    ...(time !== undefined && { time: 'a time' }),
    fieldsV1: entry['operation'] === 'Update' ? withoutDots(fieldsV1 ?? {}) : sorted(fieldsV1 ?? {}),
  }))
  return normal.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1)) as Json
}

function withoutDots(fields: Json): Json {
  const entries = Object.entries(fields as JsonObject).filter(([step]) => step !== '.')
  return Object.fromEntries(entries.toSorted(byStep).map(([step, inner]) => [step, withoutDots(inner)] as const))
}

function sorted(fields: Json): Json {
  const entries = Object.entries(fields as JsonObject).toSorted(byStep)
  return Object.fromEntries(entries.map(([step, inner]) => [step, sorted(inner)] as const))
}

function byStep([left]: readonly [string, Json], [right]: readonly [string, Json]): number {
  return left < right ? -1 : 1
}
