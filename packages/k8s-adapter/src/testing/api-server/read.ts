import { randomUUID } from 'node:crypto'
import type { JsonObject } from '@gitops-sdk/core'
import { type Answer, badRequest, gone, notFound, refusal, status } from './answer.ts'
import { metadataOf, objectOf, textOf, without } from './json.ts'
import type { Request, ServerState } from './state.ts'
import { subjectOf } from './write.ts'

/** One object, in the version that was asked for. */
export function read(state: ServerState, request: Request): Answer {
  const found = state.store.get(request.kind, request.namespace, request.name)
  if (found === undefined) throw notFound(subjectOf(request))
  return { status: 200, body: inVersion(found, request) }
}

/** A collection, or a page of it. What was begun is continued as it was, unless it was forgotten. */
export function list(state: ServerState, request: Request): Answer {
  const { query, kind } = request
  assertKnown(state, query.get('resourceVersion') ?? '')
  const limit = Number(query.get('limit') ?? 0)
  const { version, items } = begun(state, request)
  const page = limit > 0 ? items.slice(0, limit) : items
  const rest = limit > 0 ? items.slice(limit) : []
  const metadata = {
    resourceVersion: String(version),
    ...(rest.length > 0 && { continue: keep(state, version, rest), remainingItemCount: rest.length }),
  }
  return {
    status: 200,
    body: {
      kind: `${kind.kind}List`,
      apiVersion: kind.apiVersion,
      metadata,
      items: page.map((each) => itemOf(each, request)),
    },
  }
}

/** A version from the future: the database was set back, or the client talks to another server. */
function assertKnown({ store }: ServerState, version: string): void {
  if (!/^\d*$/.test(version))
    throw badRequest(`Invalid value: "${version}": strconv.ParseUint: parsing "${version}": invalid syntax`)
  if (Number(version) <= store.version) return
  const cause = { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }
  const message = `Timeout: Too large resource version: ${version}, current: ${store.version}`
  throw refusal(status(504, 'Timeout', message, { causes: [cause], retryAfterSeconds: 1 }))
}

interface Begun {
  readonly version: number
  readonly items: readonly JsonObject[]
}

function begun(state: ServerState, request: Request): Begun {
  const token = request.query.get('continue') ?? ''
  if (token === '') {
    const matches = matcherOf(request)
    const { namespace, kind } = request
    const all = state.store.list(kind, namespace === '' ? undefined : namespace)
    return { version: state.store.version, items: all.filter(matches) }
  }
  const items = state.pages.get(token)
  const version = Number(token.split('.')[0])
  if (items === undefined || version < state.store.compacted)
    throw gone(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
    )
  return { version, items }
}

const MAX_PAGES = 100

function keep({ pages }: ServerState, version: number, items: readonly JsonObject[]): string {
  const token = `${version}.${randomUUID()}`
  pages.set(token, items)
  for (const old of [...pages.keys()].slice(0, Math.max(0, pages.size - MAX_PAGES))) pages.delete(old)
  return token
}

/** The object as the version of the request names it. */
export function inVersion(object: JsonObject, { kind }: Request): JsonObject {
  return object['apiVersion'] === kind.apiVersion ? object : { ...object, apiVersion: kind.apiVersion }
}

/** Items of a list of a built-in kind do not repeat what they are. */
function itemOf(object: JsonObject, request: Request): JsonObject {
  return request.kind.custom ? inVersion(object, request) : without(object, 'apiVersion', 'kind')
}

/** Whether an object is meant by the selectors of a request. */
export function matcherOf({ query }: Request): (object: JsonObject) => boolean {
  const labels = parts(query.get('labelSelector') ?? '').map(labelTest)
  const fields = parts(query.get('fieldSelector') ?? '').map(fieldTest)
  return (object) => {
    const known = objectOf(metadataOf(object)['labels'])
    return labels.every((test) => test(known)) && fields.every((test) => test(object))
  }
}

/** Split at commas that are not inside a list. */
function parts(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

function labelTest(text: string): (labels: JsonObject) => boolean {
  const [, key = '', word, list] = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(text) ?? []
  if (list !== undefined) {
    const values = list.split(',').map((each) => each.trim())
    return (labels) => values.includes(textOf(labels[key])) === (word === 'in')
  }
  const [, name = '', operator, value] = /^!?([^!=]+)(?:(!=|==?)(.*))?$/.exec(text) ?? []
  if (operator === undefined) return (labels) => (labels[name] === undefined) === text.startsWith('!')
  return (labels) => (labels[name] === value) === (operator !== '!=')
}

function fieldTest(text: string): (object: JsonObject) => boolean {
  const [, path = '', operator = '=', value = ''] = /^([^!=]+)(!=|==?)(.*)$/.exec(text) ?? []
  const follow = (object: JsonObject): string => {
    const steps = path.split('.')
    const last = steps.pop() ?? ''
    return textOf(steps.reduce((inner, step) => objectOf(inner[step]), object)[last])
  }
  return (object) => (follow(object) === value) === (operator !== '!=')
}
