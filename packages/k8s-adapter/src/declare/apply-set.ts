import { createHash } from 'node:crypto'
import { type JsonObject, type Resource, resource, type ResourceRef } from '@gitops-sdk/core'
import { metadataOf } from '../client/json.ts'

const PREFIX = 'applyset.kubernetes.io/'
const ID = `${PREFIX}id`
const TOOLING = `${PREFIX}tooling`
const KINDS = `${PREFIX}contains-group-kinds`
const NAMESPACES = `${PREFIX}additional-namespaces`
const TOOL = 'gitops-sdk'

/** The label of a member; its value is the id of the set. */
export const PART_OF: string = `${PREFIX}part-of`

/** Owns what a parent says about its members, which is no declaration: it follows what is applied and pruned. */
export const APPLY_SET_MANAGER = 'gitops-sdk-applyset'

/** Where the parent of an ApplySet is, and for which application. */
export interface ApplySet {
  readonly application: string
  readonly namespace: string
}

/** What the parent says about where members are: always at least where they are. */
export interface Reach {
  /** `Kind.group`, `Kind` in the core group. */
  readonly kinds: ReadonlySet<string>
  /** Other than that of the parent. */
  readonly namespaces: ReadonlySet<string>
}

/**
 * The declarations as an ApplySet (KEP-3659), for tools that know those: every member carries the label of the set,
 * and a Secret beside them is its parent. What the parent says about its members is written while a plan is applied.
 * What is pruned is decided by our inventory alone.
 */
export function asApplySet(resources: readonly Resource[], { application, namespace }: ApplySet): Resource[] {
  if (resources.length === 0) return []
  const name = `applyset-${application}`
  const id = idOf(name, namespace)
  return [parentOf(name, namespace, id), ...resources.map((each) => asMember(each, id))]
}

/** The id of the ApplySet that a declaration is the parent of; `undefined` for any other. */
export function applySetIdOf({ body }: Pick<Resource, 'body'>): string | undefined {
  const labels = metadataOf(body)['labels'] as Readonly<Record<string, string>> | undefined
  return labels?.[ID]
}

/** The tool that keeps a parent, where that is not this one. */
export function foreignTool(body: JsonObject): string | undefined {
  const tool = annotationsIn(body)[TOOLING]
  return tool === undefined || tool.startsWith(`${TOOL}/`) ? undefined : tool
}

/** What a parent says. */
export function reachIn(parent: JsonObject): Reach {
  const annotations = annotationsIn(parent)
  return { kinds: namesIn(annotations[KINDS]), namespaces: namesIn(annotations[NAMESPACES]) }
}

/** Where these members of a set with its parent in `namespace` are. */
export function reachOf(refs: readonly ResourceRef[], namespace: string | undefined): Reach {
  const elsewhere = refs.flatMap((ref) => (ref.namespace === namespace ? [] : (ref.namespace ?? [])))
  return { kinds: new Set(refs.map(groupKindOf)), namespaces: new Set(elsewhere) }
}

/**
 * A parent that says so: enough for other tools, also before the rest of its declaration is applied. Where there is one
 * already, it is written at the version that was read.
 */
export function parentSaying(
  { apiVersion, kind, metadata }: JsonObject,
  { kinds, namespaces }: Reach,
  live: JsonObject | undefined,
): JsonObject {
  const { annotations, ...parent } = metadata as JsonObject
  const said = { ...(annotations as JsonObject), [KINDS]: listed(kinds), [NAMESPACES]: listed(namespaces) }
  const version = live === undefined ? {} : { resourceVersion: metadataOf(live)['resourceVersion'] ?? null }
  return { apiVersion: apiVersion ?? null, kind: kind ?? null, metadata: { ...parent, ...version, annotations: said } }
}

/** Group and kind as a parent writes them. */
export function groupKindIn(text: string): { readonly group: string; readonly kind: string } {
  const dot = text.indexOf('.')
  return dot === -1 ? { group: '', kind: text } : { group: text.slice(dot + 1), kind: text.slice(0, dot) }
}

function annotationsIn(body: JsonObject): Readonly<Record<string, string | undefined>> {
  return (metadataOf(body)['annotations'] ?? {}) as Readonly<Record<string, string>>
}

function namesIn(list: string | undefined): Set<string> {
  return new Set((list ?? '').split(',').filter((name) => name !== ''))
}

function listed(names: ReadonlySet<string>): string {
  return [...names].toSorted().join(',')
}

function groupKindOf({ group, kind }: ResourceRef): string {
  return group === undefined ? kind : `${kind}.${group}`
}

function idOf(name: string, namespace: string): string {
  const hash = createHash('sha256').update(`${name}.${namespace}.Secret.`).digest('base64url')
  return `applyset-${hash}-v1`
}

function asMember({ digest: _digest, ...each }: Resource, id: string): Resource {
  const metadata = metadataOf(each.body)
  const labels = { ...(metadata['labels'] as JsonObject | undefined), [PART_OF]: id }
  return resource({ ...each, body: { ...each.body, metadata: { ...metadata, labels } } })
}

/** Removed after everything else: as long as there are members, somebody speaks for them. */
function parentOf(name: string, namespace: string, id: string): Resource {
  const metadata = { name, namespace, labels: { [ID]: id }, annotations: { [TOOLING]: `${TOOL}/v1` } }
  return resource({
    ref: { kind: 'Secret', namespace, name },
    body: { apiVersion: 'v1', kind: 'Secret', metadata },
    sensitive: ['/data', '/stringData'],
    order: { pruneLast: true },
  })
}
