import type { Json, JsonObject } from '@gitops-sdk/core'
import { isObject, objectOf, textOf, textsOf } from '../../client/json.ts'

/**
 * What a value may look like and how two of them are merged. The notation of the built-in types: a line is
 * a type, `name field:shape …`; `!` after a field says required, `=x` its default, `~` atomic. A shape is a letter for
 * a scalar (`s` text, `i` integer, `n` number, `b` boolean, `q` quantity or either), `*` anything, `@Name` a type,
 * `{x}` a map, `[x]` an atomic list, `[x|]` a set, `[x|a,b]` a list whose items are known by those keys.
 */
export type Shape = ScalarShape | AnyShape | StructShape | MapShape | ListShape

interface ScalarShape {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'quantity'
}

/** Anything; objects in it are merged, lists are atomic. */
export interface AnyShape {
  readonly type: 'any'
}

export interface StructShape {
  readonly type: 'struct'
  readonly name: string
  readonly fields: ReadonlyMap<string, Field>
  readonly atomic: boolean
  /** Unknown fields are kept. */
  readonly open: boolean
}

interface Field {
  readonly shape: Shape
  readonly required: boolean
  /** What counts as its value in the key of a list item that lacks it. */
  readonly fallback?: Json
}

interface MapShape {
  readonly type: 'map'
  readonly values: Shape
  readonly atomic: boolean
}

export interface ListShape {
  readonly type: 'list'
  readonly items: Shape
  /** How items are told apart; an atomic list is replaced as a whole. */
  readonly known: 'atomic' | 'by value' | readonly string[]
}

export const anyShape: AnyShape = { type: 'any' }

const scalars: Readonly<Record<string, ScalarShape['type']>> = {
  s: 'string',
  i: 'integer',
  n: 'number',
  b: 'boolean',
  q: 'quantity',
}

/** Types by name, each read when it is first asked for: most of them never are. */
export function readTypes(text: string): (name: string) => StructShape | undefined {
  const lines = new Map(
    text
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, nameEnd(line)).replace('~', ''), line]),
  )
  const known = new Map<string, StructShape>()
  const find = (name: string): StructShape | undefined => {
    const line = lines.get(name)
    if (line === undefined) return undefined
    return known.get(name) ?? readType(name, line, find, known)
  }
  return find
}

function nameEnd(line: string): number {
  const space = line.indexOf(' ')
  return space === -1 ? line.length : space
}

type Find = (name: string) => StructShape | undefined

function readType(name: string, line: string, find: Find, known: Map<string, StructShape>): StructShape {
  const fields = new Map<string, Field>()
  const type: StructShape = { type: 'struct', name, fields, atomic: line.startsWith(`${name}~`), open: false }
  // Known before its fields are read: a type may speak of itself.
  known.set(name, type)
  for (const text of line.split(' ').slice(1)) {
    const [, field = '', required, shape = '*', fallback] = /^([^!:]+)(!?):([^=]+)(?:=(.*))?$/.exec(text) ?? []
    fields.set(field, {
      shape: readShape(shape, find),
      required: required === '!',
      ...(fallback !== undefined && { fallback }),
    })
  }
  return type
}

function readShape(text: string, find: Find): Shape {
  const atomic = text.endsWith('~')
  const body = atomic ? text.slice(0, -1) : text
  if (body.startsWith('{')) return { type: 'map', values: readShape(body.slice(1, -1), find), atomic }
  if (body.startsWith('[')) return readList(body.slice(1, -1), find)
  if (body.startsWith('@')) {
    const type = find(body.slice(1))
    return type === undefined ? anyShape : atomic ? { ...type, atomic } : type
  }
  const scalar = scalars[body]
  return scalar === undefined ? anyShape : { type: scalar }
}

function readList(text: string, find: Find): ListShape {
  const bar = text.lastIndexOf('|')
  const keys = text.slice(bar + 1)
  const known = bar === -1 ? 'atomic' : keys === '' ? 'by value' : keys.split(',')
  return { type: 'list', items: readShape(bar === -1 ? text : text.slice(0, bar), find), known }
}

/** The shape that the schema of a definition describes; `metadata` is that of every object. */
export function shapeOfSchema(schema: JsonObject, metadata: Shape): Shape {
  const shape = fromSchema(schema)
  if (shape.type !== 'struct') return shape
  const text: Field = { shape: { type: 'string' }, required: false }
  const fields = new Map([...shape.fields, ['apiVersion', text], ['kind', text]] as const)
  return { ...shape, fields: fields.set('metadata', { shape: metadata, required: false }) }
}

function fromSchema(schema: JsonObject): Shape {
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true
  const atomic = schema['x-kubernetes-map-type'] === 'atomic'
  if (schema['x-kubernetes-int-or-string'] === true) return { type: 'quantity' }
  if (schema['type'] === 'array') return listFrom(schema)
  if (isObject(schema['additionalProperties']))
    return { type: 'map', values: fromSchema(schema['additionalProperties']), atomic }
  if (schema['type'] === 'object') return structFrom(schema, open, atomic)
  const type = textOf(schema['type'])
  return type === 'string' || type === 'integer' || type === 'number' || type === 'boolean' ? { type } : anyShape
}

function structFrom(schema: JsonObject, open: boolean, atomic: boolean): Shape {
  const required = textsOf(schema['required'])
  const properties = Object.entries(objectOf(schema['properties']))
  if (properties.length === 0 && open) return anyShape
  const fields = properties.map(([name, property]) => {
    const fallback = objectOf(property)['default']
    const shape = fromSchema(objectOf(property))
    const field: Field = { shape, required: required.includes(name), ...(fallback !== undefined && { fallback }) }
    return [name, field] as const
  })
  return { type: 'struct', name: '', fields: new Map(fields), atomic, open }
}

function listFrom(schema: JsonObject): ListShape {
  const kind = schema['x-kubernetes-list-type']
  const known = kind === 'map' ? textsOf(schema['x-kubernetes-list-map-keys']) : kind === 'set' ? 'by value' : 'atomic'
  return { type: 'list', items: fromSchema(objectOf(schema['items'])), known }
}

/** The shape of a field; `undefined` for one that is not declared. */
export function shapeOfField(shape: Shape, field: string): Shape | undefined {
  if (shape.type === 'map') return shape.values
  if (shape.type === 'any') return anyShape
  if (shape.type !== 'struct') return undefined
  return shape.fields.get(field)?.shape ?? (shape.open ? anyShape : undefined)
}
