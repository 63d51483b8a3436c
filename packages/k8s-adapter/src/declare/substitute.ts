import { GitOpsError, type Json, type JsonObject } from '@gitops-sdk/core'
import { annotationsOf, OWN } from './annotations.ts'

/** Values for `${name}` in declarations. A value keeps its type and its line breaks. */
export type Variables = Readonly<Record<string, Json>>

const whole = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?[-=]([^${}]*))?\}$/
const inside = /\$?\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?[-=]([^${}]*))?\}/g

/**
 * Replaces `${name}` and `${name:-default}` in every text of a body, keys aside.
 *
 * It works on values, not on YAML: a value cannot break out of its place, keeps its line breaks, and a
 * text that is nothing but `${name}` becomes the value with its type (`replicas: ${replicas}` is a
 * number). `$${name}` stands for `${name}` itself. Values are not looked at again.
 *
 * An object with the annotation `gitops-sdk/substitute: disabled` (or Flux's) stays as it is. Throws
 * `DECLARATION_INVALID`, naming variable and field, for a variable without value and default.
 */
export function substitute(body: JsonObject, variables: Variables, place: string): JsonObject {
  if (isExempt(body)) return body
  const known = new Map(Object.entries(variables))
  const valueOf = (name: string, fallback: string | undefined, path: string): Json => {
    const value = known.get(name)
    if (value !== undefined) return value
    if (fallback !== undefined) return fallback
    throw new GitOpsError('DECLARATION_INVALID', `${place}: the variable ${name} used at ${path} has no value.`, {
      details: { variable: name, path },
    })
  }
  return fillObject(body, '', valueOf)
}

type ValueOf = (name: string, fallback: string | undefined, path: string) => Json

function isExempt(body: JsonObject): boolean {
  const annotations = annotationsOf(body)
  const disabled = (name: string): boolean => annotations.get(name) === 'disabled'
  return disabled(`${OWN}substitute`) || disabled('kustomize.toolkit.fluxcd.io/substitute')
}

function fillObject(object: JsonObject, path: string, valueOf: ValueOf): JsonObject {
  const fill = ([key, value]: readonly [string, Json]): [string, Json] => [
    key,
    fillIn(value, `${path}/${key}`, valueOf),
  ]
  return Object.fromEntries(Object.entries(object).map(fill))
}

function fillIn(value: Json, path: string, valueOf: ValueOf): Json {
  if (typeof value === 'string') return value.includes('${') ? fillText(value, path, valueOf) : value
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((item: Json, index) => fillIn(item, `${path}/${index}`, valueOf))
  return fillObject(value as JsonObject, path, valueOf)
}

function fillText(text: string, path: string, valueOf: ValueOf): Json {
  const only = whole.exec(text)
  if (only !== null) return valueOf(only[1]!, only[2], path)
  return text.replace(inside, (match, name: string, fallback: string | undefined) => {
    if (match.startsWith('$$')) return match.slice(1)
    const value = valueOf(name, fallback, path)
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}
