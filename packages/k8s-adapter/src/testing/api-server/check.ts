import type { Json, JsonObject } from '@gitops-sdk/core'
import { stepOf } from './fields.ts'
import { isObject } from '../../client/json.ts'
import { type ListShape, type Shape, shapeOfField } from './shape.ts'

/** What is wrong with a value as one of a shape, each with its path. Null is right anywhere. */
export function faultsIn(value: Json, shape: Shape, path = ''): string[] {
  if (value === null || shape.type === 'any') return []
  if (shape.type === 'struct' || shape.type === 'map') return objectFaults(value, shape, path)
  if (shape.type === 'list') return listFaults(value, shape, path)
  const wanted = scalarFault(value, shape.type)
  return wanted === undefined ? [] : [`${path}: ${wanted}`]
}

function objectFaults(value: Json, shape: Shape, path: string): string[] {
  if (!isObject(value)) return [`${path}: expected map, got &{${shown(value)}}`]
  return Object.entries(value).flatMap(([field, inner]) => {
    const below = shapeOfField(shape, field)
    return below === undefined
      ? [`${path}.${field}: field not declared in schema`]
      : faultsIn(inner, below, `${path}.${field}`)
  })
}

function listFaults(value: Json, shape: ListShape, path: string): string[] {
  if (!Array.isArray(value)) return [`${path}: expected list, got &{${shown(value)}}`]
  const steps = new Set<string>()
  return value.flatMap((item: Json, index) => {
    const step = stepOf(item, shape)
    const place = step === undefined ? `${path}[${index}]` : `${path}${spokenStep(step)}`
    const faults = faultsIn(item, shape.items, place)
    if (shape.known === 'atomic') return faults
    if (step === undefined) {
      const keys = shape.known === 'by value' ? '' : shape.known.map((key) => `"${key}"`).join(', ')
      return [`${path}: element ${index}: associative list with keys has an element that omits key field ${keys}`]
    }
    if (!steps.has(step)) {
      steps.add(step)
      return faults
    }
    return [`${path}: duplicate entries for key ${spokenStep(step)}`, ...faults]
  })
}

function spokenStep(step: string): string {
  if (step.startsWith('v:')) return `[=${step.slice(2)}]`
  const keys = Object.entries(JSON.parse(step.slice(2)) as JsonObject)
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`
}

function scalarFault(value: Json, type: string): string | undefined {
  if (type === 'string')
    return typeof value === 'string'
      ? undefined
      : `expected string, got &value.valueUnstructured{Value:${goValue(value)}}`
  if (type === 'boolean') return typeof value === 'boolean' ? undefined : `expected boolean, got &{${shown(value)}}`
  if (type === 'quantity')
    return typeof value === 'string' || typeof value === 'number'
      ? undefined
      : `expected string or number, got &{${shown(value)}}`
  return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`
}

function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function goType(value: Json): string {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}'
}

function goValue(value: Json): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goValue).join(', ')}}`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${goValue(inner)}`)
  return `map[string]interface {}{${entries.join(', ')}}`
}
