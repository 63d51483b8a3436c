import { randomUUID } from 'node:crypto'
import type { JsonObject } from '@gitops-sdk/core'
import { type Answer, badRequest, gone, notFound, refusal, status } from './answer.ts'
import { metadataOf, objectOf, textOf, without } from '../../client/json.ts'
import type { Request, ServerState } from './state.ts'
import { keyOf } from './store.ts'
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
  const asked = query.get('resourceVersion') ?? ''
  assertKnown(state, asked)
  if (query.get('resourceVersionMatch') === 'Exact' && Number(asked) < state.store.compacted)
    throw gone('The resourceVersion for the provided list is too old.')
  const limit = Number(query.get('limit') ?? 0)
  const { version, items } = begun(state, request)
  const page = limit > 0 ? items.slice(0, limit) : items
  const rest = limit > 0 ? items.slice(limit) : []
  const metadata = {
    resourceVersion: String(version),
    ...(rest.length > 0 && { continue: keep(state, version, page, rest), remainingItemCount: rest.length }),
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
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: "${version}": strconv.ParseUint: parsing "${version}": invalid syntax`,
    )
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
  const [version = '', last = '', id] = (request.query.get('continue') ?? '').split('.')
  if (version === '' || version === LATEST)
    return { version: state.store.version, items: itemsAfter(last, state, request) }
  const items = id === undefined ? undefined : state.pages.get(id)
  if (items !== undefined && Number(version) >= state.store.compacted) return { version: Number(version), items }
  throw gone(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    `${LATEST}.${last}`,
  )
}

/** Continues with what there is now: the whole is then of no one moment. */
const LATEST = '-1'

function itemsAfter(last: string, state: ServerState, request: Request): JsonObject[] {
  const { namespace, kind } = request
  const matches = matcherOf(request)
  const all = state.store.list(kind, namespace === '' ? undefined : namespace).filter(matches)
  return last === '' ? all : all.filter((each) => placeOf(each) > Buffer.from(last, 'base64url').toString('utf8'))
}

function placeOf(object: JsonObject): string {
  const { namespace, name } = metadataOf(object)
  return keyOf(textOf(namespace), textOf(name))
}

const MAX_PAGES = 100

function keep(
  { pages }: ServerState,
  version: number,
  page: readonly JsonObject[],
  rest: readonly JsonObject[],
): string {
  const id = randomUUID()
  pages.set(id, rest)
  for (const old of [...pages.keys()].slice(0, Math.max(0, pages.size - MAX_PAGES))) pages.delete(old)
  return `${version}.${Buffer.from(placeOf(page.at(-1) ?? {}), 'utf8').toString('base64url')}.${id}`
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
