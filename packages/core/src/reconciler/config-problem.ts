import { isRecord } from '../runtime/is-record.ts'
import type { OptionSchema } from './config-schema.ts'
import { nearest } from './nearest.ts'

/** One thing that is wrong with options. */
export interface Problem {
  /** `policy.windows[0].cron`; empty for the options as a whole. */
  readonly path: string
  /** What is allowed, as the end of a sentence that begins with the path. */
  readonly problem: string
}

/** The problem as a sentence. */
export function sentence({ path, problem }: Problem): string {
  return path === '' ? `It ${problem}` : `${path} ${problem}`
}

/**
 * Everything that is wrong with `value`, of each member the first thing. By hand and not by `ajv`: loading that costs more
 * than the rest of core, and it compiles with `new Function`, which many platforms forbid.
 */
export function problemsBy(schema: OptionSchema, value: unknown, path = ''): readonly Problem[] {
  if (!fits(schema, value)) return [{ path, problem: `must be ${allowed(schema)}${given(value)}.` }]
  if (isRecord(value)) return problemsOfMembers(schema, value, path)
  const { items } = schema
  if (items === undefined || !Array.isArray(value)) return []
  return value.flatMap((item: unknown, index) => problemsBy(items, item, `${path}[${index}]`))
}

function problemsOfMembers(
  schema: OptionSchema,
  value: Readonly<Record<string, unknown>>,
  path: string,
): readonly Problem[] {
  const { properties = {}, required = [], additionalProperties = true } = schema
  const missing = required.filter((name) => value[name] === undefined)
  const present = Object.keys(properties).filter((name) => value[name] !== undefined)
  const others =
    additionalProperties === true ? [] : Object.keys(value).filter((name) => !Object.hasOwn(properties, name))
  return [
    ...missing.map((name) => ({ path: joined(path, name), problem: 'is missing.' })),
    ...others.flatMap((name) =>
      typeof additionalProperties === 'boolean'
        ? [unknownOption(path, name, schema)]
        : problemsBy(additionalProperties, value[name], joined(path, name)),
    ),
    ...present.flatMap((name) => problemsBy(properties[name] ?? {}, value[name], joined(path, name))),
  ]
}

/** Whether the value itself is what the schema asks for, whatever is in it. */
function fits(schema: OptionSchema, value: unknown): boolean {
  if (schema.enum !== undefined) return schema.enum.includes(value)
  switch (schema.shape ?? schema.type ?? 'anything') {
    case 'function':
      return typeof value === 'function'
    case 'object':
      return isRecord(value) && Object.keys(value).length >= (schema.minProperties ?? 0)
    case 'array':
      return Array.isArray(value) && (schema.uniqueItems !== true || new Set(value).size === value.length)
    case 'string':
      return (
        typeof value === 'string' && isWithin({ minimum: schema.minLength, maximum: schema.maxLength }, value.length)
      )
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      return Number.isInteger(value) && isWithin(schema, Number(value))
    case 'number':
      return Number.isFinite(value) && isWithin(schema, Number(value))
    case 'anything':
      return true
  }
}

interface Limits {
  readonly minimum?: number | undefined
  readonly exclusiveMinimum?: number | undefined
  readonly maximum?: number | undefined
}

function isWithin(
  { minimum = -Infinity, exclusiveMinimum = -Infinity, maximum = Infinity }: Limits,
  size: number,
): boolean {
  return size >= minimum && size > exclusiveMinimum && size <= maximum
}

function unknownOption(path: string, name: string, { properties = {} }: OptionSchema): Problem {
  const names = Object.keys(properties)
  const near = nearest(name, names)
  const hint = near === undefined ? `Allowed: ${names.join(', ')}.` : `Did you mean ${near}?`
  return { path: joined(path, name), problem: `is not an option. ${hint}` }
}

/** What a schema allows, in words. */
function allowed(schema: OptionSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' or ')
  if (schema.shape !== undefined) return schema.shape === 'function' ? 'a function' : 'an object'
  if (schema.type === 'string')
    return schema.maxLength === undefined ? 'text' : `text of 1 to ${schema.maxLength} characters`
  if (schema.type === 'integer' || schema.type === 'number')
    return `${schema.type === 'integer' ? 'a whole number' : 'a number'}${range(schema)}`
  if (schema.type === 'boolean') return 'true or false'
  if (schema.type === 'array') return schema.uniqueItems === true ? 'a list without duplicates' : 'a list'
  return schema.minProperties === undefined ? 'an object' : 'an object with at least one member'
}

function range({ minimum, exclusiveMinimum, maximum }: OptionSchema): string {
  const from = exclusiveMinimum === undefined ? minimum : `more than ${exclusiveMinimum}`
  if (maximum === undefined)
    return from === undefined ? '' : typeof from === 'string' ? ` of ${from}` : ` of at least ${from}`
  return typeof from === 'string' ? ` of ${from} and at most ${maximum}` : ` from ${from} to ${maximum}`
}

/** The value, where it is short and plain: an object may hold a secret. */
function given(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return `, not ${String(value)}`
  if (typeof value === 'string' && value.length <= 60) return `, not ${JSON.stringify(value)}`
  return Array.isArray(value)
    ? ', not this list'
    : typeof value === 'object'
      ? ', not this object'
      : `, not ${typeof value}`
}

function joined(path: string, name: string): string {
  const part = /^[\w$]+$/.test(name) ? name : JSON.stringify(name)
  return path === '' ? part : `${path}.${part}`
}
