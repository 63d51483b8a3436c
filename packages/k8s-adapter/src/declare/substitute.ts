import { GitOpsError, type Json, type JsonObject, type ResolvedVariable } from '@gitops-sdk/core'
import { annotationsOf, OWN } from './annotations.ts'

/** A body with its values, and where sensitive ones stand in it. */
export interface Substituted {
  readonly body: JsonObject
  /** JSON Pointers. */
  readonly sensitive: readonly string[]
}

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
 * `DECLARATION_INVALID`, naming variable and field, for a variable without value and default, and for a
 * sensitive one where the object is named: names show everywhere.
 */
export function substitute(
  body: JsonObject,
  variables: ReadonlyMap<string, ResolvedVariable>,
  place: string,
): Substituted {
  if (!mentionsVariable(body) || isExempt(body)) return { body, sensitive: [] }
  const sensitive = new Set<string>()
  const valueOf = (name: string, fallback: string | undefined, path: string): Json => {
    const known = variables.get(name)
    if (known?.sensitive === true) sensitive.add(refuseInName(name, path, place))
    if (known !== undefined) return known.value
    if (fallback !== undefined) return fallback
    throw new GitOpsError('DECLARATION_INVALID', `${place}: the variable ${name} used at ${path} has no value.`, {
      details: { variable: name, path },
    })
  }
  return { body: fillObject(body, '', valueOf), sensitive: [...sensitive] }
}

/** Whether anything could be replaced. Most bodies name no variable: they stay the object they are. */
function mentionsVariable(value: Json): boolean {
  if (typeof value === 'string') return value.includes('${')
  return value !== null && typeof value === 'object' && Object.values(value).some(mentionsVariable)
}

/** Where an object says what it is. */
const naming = /^\/(apiVersion|kind|metadata\/(name|generateName|namespace))$/

function refuseInName(variable: string, path: string, place: string): string {
  if (!naming.test(path)) return path
  const message = `${place}: the variable ${variable} is sensitive, and ${path} shows everywhere. Use it in a value.`
  throw new GitOpsError('DECLARATION_INVALID', message, { details: { variable, path } })
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
    fillIn(value, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, valueOf),
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
