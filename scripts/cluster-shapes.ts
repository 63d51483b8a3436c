// The shapes of the built-in kinds, read from a real API server and written in the notation of
// packages/k8s-adapter/src/testing/api-server/shape.ts, one line for each type.
import type { Json, JsonObject } from '@gitops-sdk/core'

/** What is read from the server. */
export interface Published {
  /** The document of `/openapi/v3/<path>`, by path. */
  readonly documents: Readonly<Record<string, JsonObject>>
  /** The items of the two answers of aggregated discovery. */
  readonly groups: readonly JsonObject[]
}

const PREFIXES = ['io.k8s.api.', 'io.k8s.apimachinery.pkg.apis.', 'io.k8s.apimachinery.pkg.', 'io.k8s.']
/** Types of requests and answers, which are never stored. */
const passing = /(List|Options|WatchEvent|\.Status|StatusDetails|StatusCause|\.Patch|ListMeta)$/

/** Lines `name field:type …`, sorted; only what a stored object can hold. */
export function shapesOf({ documents }: Published): string {
  const lines = new Map<string, string>()
  for (const document of Object.values(documents)) {
    const schemas = objectOf(objectOf(document['components'])['schemas'])
    for (const [name, schema] of Object.entries(schemas))
      if (isStruct(schema) && !passing.test(name)) lines.set(shortName(name), lineOf(name, objectOf(schema), schemas))
  }
  return [...lines.values()].toSorted().join('\n')
}

/** Lines `group/version resource Kind scope verbs shortNames subresources…`. */
export function kindsOf({ groups, documents }: Published): string {
  const types = typesByKind(documents)
  return groups
    .flatMap((group) =>
      listOf(group['versions']).flatMap((version) =>
        listOf(version['resources']).flatMap((each) => kindLine(group, version, each, types)),
      ),
    )
    .join('\n')
}

function kindLine(group: JsonObject, version: JsonObject, each: JsonObject, types: Map<string, string>): string[] {
  const name = textOf(objectOf(group['metadata'])['name'])
  const apiVersion = name === '' ? textOf(version['version']) : `${name}/${textOf(version['version'])}`
  const kind = textOf(objectOf(each['responseKind'])['kind'])
  const verbs = (each['verbs'] as string[]).includes('list') ? 'all' : 'create'
  const type = types.get(`${apiVersion} ${kind}`) ?? '-'
  const parts = listOf(each['subresources']).map((part) => textOf(part['subresource']))
  const scope = each['scope'] === 'Namespaced' ? 'namespaced' : 'cluster'
  const short = ((each['shortNames'] ?? []) as string[]).join(',') || '-'
  return [[apiVersion, textOf(each['resource']), kind, scope, verbs, type, short, ...parts].join(' ')]
}

function typesByKind(documents: Published['documents']): Map<string, string> {
  const types = new Map<string, string>()
  for (const document of Object.values(documents))
    for (const [name, schema] of Object.entries(objectOf(objectOf(document['components'])['schemas'])))
      for (const each of listOf(objectOf(schema)['x-kubernetes-group-version-kind'])) {
        const group = textOf(each['group'])
        const apiVersion = group === '' ? textOf(each['version']) : `${group}/${textOf(each['version'])}`
        if (!passing.test(name)) types.set(`${apiVersion} ${textOf(each['kind'])}`, shortName(name))
      }
  return types
}

function lineOf(name: string, schema: JsonObject, schemas: JsonObject): string {
  const required = new Set((schema['required'] ?? []) as string[])
  const fields = Object.entries(objectOf(schema['properties'])).map(([field, property]) => {
    const fallback = defaultOf(objectOf(property))
    return `${field}${required.has(field) ? '!' : ''}:${typeOf(objectOf(property), schemas)}${fallback}`
  })
  const atomic = schema['x-kubernetes-map-type'] === 'atomic' ? '~' : ''
  return [`${shortName(name)}${atomic}`, ...fields].join(' ')
}

/** Only the defaults that are part of the key of a list. */
function defaultOf(property: JsonObject): string {
  const value = property['default']
  return typeof value === 'string' && value !== '' ? `=${value}` : ''
}

function typeOf(property: JsonObject, schemas: JsonObject): string {
  const reference = referenceIn(property)
  if (reference !== undefined) {
    const type = isStruct(schemas[reference]) ? `@${shortName(reference)}` : typeOf(objectOf(schemas[reference]), {})
    return type.startsWith('@') && property['x-kubernetes-map-type'] === 'atomic' ? `${type}~` : type
  }
  if (property['x-kubernetes-int-or-string'] === true || Array.isArray(property['oneOf'])) return 'q'
  if (property['type'] === 'array') return arrayOf(property, schemas)
  if (property['type'] === 'object') return mapOf(property, schemas)
  const scalars: Record<string, string> = { string: 's', integer: 'i', number: 'n', boolean: 'b' }
  return scalars[textOf(property['type'])] ?? '*'
}

function arrayOf(property: JsonObject, schemas: JsonObject): string {
  const item = typeOf(objectOf(property['items']), schemas)
  const kind = property['x-kubernetes-list-type']
  const keys = ((property['x-kubernetes-list-map-keys'] ?? []) as string[]).join(',')
  return kind === 'map' ? `[${item}|${keys}]` : kind === 'set' ? `[${item}|]` : `[${item}]`
}

function mapOf(property: JsonObject, schemas: JsonObject): string {
  const values = property['additionalProperties']
  if (values === undefined) return '*'
  return `{${typeOf(objectOf(values), schemas)}}${property['x-kubernetes-map-type'] === 'atomic' ? '~' : ''}`
}

function referenceIn(property: JsonObject): string | undefined {
  const all = property['allOf']
  const found = property['$ref'] ?? (Array.isArray(all) ? objectOf(all[0])['$ref'] : undefined)
  return found === undefined ? undefined : textOf(found).split('/').at(-1)
}

function isStruct(schema: Json | undefined): boolean {
  return objectOf(schema)['properties'] !== undefined
}

function shortName(name: string): string {
  const prefix = PREFIXES.find((each) => name.startsWith(each)) ?? ''
  return name.slice(prefix.length)
}

function listOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map((each: Json) => objectOf(each)) : []
}

function objectOf(value: Json | undefined): JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : {}
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
