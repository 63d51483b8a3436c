import type { Json, JsonObject } from '@gitops-sdk/core'
import { builtInKinds, builtInTypes } from './built-in.ts'
import { metadataOf, objectOf, objectsOf, textOf, textsOf } from '../../client/json.ts'
import { anyShape, readTypes, type Shape, shapeOfSchema } from './shape.ts'

/** A resource in one version. Notation of the built-in ones: `version resource Kind scope verbs type short subresource…`. */
export interface Kind {
  readonly apiVersion: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly kind: string
  readonly singular: string
  readonly namespaced: boolean
  /** Whether objects of it are kept; otherwise it is a question that is only answered. */
  readonly kept: boolean
  readonly shape: Shape
  readonly shortNames: readonly string[]
  readonly subresources: readonly string[]
  /** Defined by a CustomResourceDefinition. */
  readonly custom: boolean
}

const types = readTypes(builtInTypes)
const builtIn: readonly Kind[] = builtInKinds.trim().split('\n').map(readKind)
/** The metadata of every object. */
const metadataShape: Shape = types('meta.v1.ObjectMeta') ?? anyShape

function readKind(line: string): Kind {
  const [apiVersion = '', resource = '', kind = '', scope, verbs, type = '', short = '', ...subresources] =
    line.split(' ')
  return {
    ...splitVersion(apiVersion),
    resource,
    kind,
    singular: kind.toLowerCase(),
    namespaced: scope === 'namespaced',
    kept: verbs === 'all',
    shape: types(type) ?? anyShape,
    shortNames: short === '-' ? [] : short.split(','),
    subresources,
    custom: false,
  }
}

function splitVersion(apiVersion: string): Pick<Kind, 'apiVersion' | 'group' | 'version'> {
  const slash = apiVersion.indexOf('/')
  return { apiVersion, group: slash === -1 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** What is served now. */
export interface Kinds {
  all(): readonly Kind[]
  find(apiVersion: string, resource: string): Kind | undefined
  /** By the name of the kind, as references between objects give it. */
  named(apiVersion: string, kind: string): Kind | undefined
  /** Serves what a definition defines, in the place of what it defined before. */
  define(definition: JsonObject): void
  undefine(definition: JsonObject): void
}

/** The built-in kinds, and room for more. */
export function createKinds(): Kinds {
  const custom = new Map<string, readonly Kind[]>()
  const all = (): Kind[] => [...builtIn, ...[...custom.values()].flat()]
  return {
    all,
    find: (apiVersion, resource) => all().find((each) => each.apiVersion === apiVersion && each.resource === resource),
    named: (apiVersion, kind) => all().find((each) => each.apiVersion === apiVersion && each.kind === kind),
    define: (definition) => void custom.set(textOf(metadataOf(definition)['name']), kindsOf(definition)),
    undefine: (definition) => void custom.delete(textOf(metadataOf(definition)['name'])),
  }
}

/** The served versions of a definition, the most stable and newest first, as discovery prefers them. */
function kindsOf(definition: JsonObject): Kind[] {
  const spec = objectOf(definition['spec'])
  const names = objectOf(spec['names'])
  const group = textOf(spec['group'])
  return objectsOf(spec['versions'])
    .filter((each) => each['served'] === true)
    .toSorted((left, right) => priority(textOf(right['name'])) - priority(textOf(left['name'])))
    .map((each) => ({
      apiVersion: `${group}/${textOf(each['name'])}`,
      group,
      version: textOf(each['name']),
      resource: textOf(names['plural']),
      kind: textOf(names['kind']),
      singular: textOf(names['singular']) || textOf(names['kind']).toLowerCase(),
      namespaced: spec['scope'] === 'Namespaced',
      kept: true,
      shape: shapeOfSchema(objectOf(objectOf(each['schema'])['openAPIV3Schema']), metadataShape),
      shortNames: textsOf(names['shortNames']),
      subresources: Object.keys(objectOf(each['subresources'])),
      custom: true,
    }))
}

/** v2 before v1 before v1beta2 before v1alpha1 before anything else. */
function priority(version: string): number {
  const [, major, stage, minor] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? []
  if (major === undefined) return 0
  const stability = stage === undefined ? 3 : stage === 'beta' ? 2 : 1
  return stability * 1e6 + Number(major) * 1e3 + Number(minor ?? 0)
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const verbsOf = ({ kept }: Kind): string[] => (kept ? allVerbs : ['create'])

/** The answer of aggregated discovery, for the core group or for all others. */
export function discoveryOf(kinds: readonly Kind[], version: string): JsonObject {
  const items = groupsOf(kinds).map(([group, versions]) => ({
    metadata: group === '' ? {} : { name: group },
    versions: versions.map(([name, served]) => ({
      version: name,
      resources: served.map(aggregatedResource),
      freshness: 'Current',
    })),
  }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items }
}

function aggregatedResource(each: Kind): JsonObject {
  const responseKind = { group: each.group, version: each.version, kind: each.kind }
  const parts = each.subresources.map((subresource) => ({
    subresource,
    responseKind,
    verbs: ['get', 'patch', 'update'],
  }))
  return {
    resource: each.resource,
    responseKind,
    scope: each.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: each.singular,
    verbs: verbsOf(each),
    ...(each.shortNames.length > 0 && { shortNames: [...each.shortNames] }),
    ...(parts.length > 0 && { subresources: parts }),
  }
}

/** The answer of `/apis` to those who know no aggregated discovery. */
export function groupListOf(kinds: readonly Kind[]): JsonObject {
  const groups = groupsOf(kinds).map(([name, versions]) => {
    const served = versions.map(([version]) => ({ groupVersion: `${name}/${version}`, version }))
    return { name, versions: served, preferredVersion: served[0]! }
  })
  return { kind: 'APIGroupList', apiVersion: 'v1', groups }
}

/** The answer of `/api/v1` and of `/apis/<group>/<version>`. */
export function resourceListOf(kinds: readonly Kind[], apiVersion: string): JsonObject {
  const resources = kinds.flatMap((each) => {
    const line = (name: string, verbs: readonly string[]): JsonObject => ({
      name,
      singularName: name === each.resource ? each.singular : '',
      namespaced: each.namespaced,
      kind: each.kind,
      verbs,
      ...(name === each.resource && each.shortNames.length > 0 && { shortNames: [...each.shortNames] }),
    })
    const parts = each.subresources.map((part) => line(`${each.resource}/${part}`, ['get', 'patch', 'update']))
    return [line(each.resource, verbsOf(each)), ...parts]
  })
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersion, resources: resources as Json }
}

type Group = readonly [name: string, versions: readonly (readonly [name: string, kinds: readonly Kind[]])[]]

function groupsOf(kinds: readonly Kind[]): Group[] {
  const groups = new Map<string, Map<string, Kind[]>>()
  for (const each of kinds) {
    const versions = groups.get(each.group) ?? new Map<string, Kind[]>()
    groups.set(each.group, versions)
    versions.set(each.version, [...(versions.get(each.version) ?? []), each])
  }
  return [...groups].map(([name, versions]) => [name, [...versions]] as const)
}
