import type { ErrorObject } from 'ajv'
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

/** What an error of the validator means. `schema` is what the value, or the object it is missing in, was judged by. */
export function problemFrom(error: ErrorObject, schema: OptionSchema, root: unknown): Problem {
  const path = dotted(error.instancePath, root)
  if (error.keyword === 'additionalProperties')
    return unknownOption(path, String(error.params['additionalProperty']), schema)
  if (error.keyword === 'required')
    return { path: joined(path, String(error.params['missingProperty'])), problem: 'is missing.' }
  return { path, problem: `must be ${allowed(schema)}${given(error.data)}.` }
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

/** `/policy/windows/0/cron` as `policy.windows[0].cron`. */
function dotted(pointer: string, root: unknown): string {
  let path = ''
  let value: unknown = root
  for (const segment of pointer.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~')
    path = Array.isArray(value) ? `${path}[${name}]` : joined(path, name)
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  }
  return path
}

function joined(path: string, name: string): string {
  const part = /^[\w$]+$/.test(name) ? name : JSON.stringify(name)
  return path === '' ? part : `${path}.${part}`
}
