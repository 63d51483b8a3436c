import { createHash } from 'node:crypto'
import { type JsonObject, type Resource, resource, type ResourceRef } from '@gitops-sdk/core'

const PREFIX = 'applyset.kubernetes.io/'
const KINDS = `${PREFIX}contains-group-kinds`
const NAMESPACES = `${PREFIX}additional-namespaces`

/** Where the parent of an ApplySet is, and for which application. */
export interface ApplySet {
  readonly application: string
  readonly namespace: string
}

/**
 * The declarations as an ApplySet (KEP-3659), for tools that know those: every member carries the label of the set,
 * and a Secret beside them, its parent, says which kinds and namespaces it reaches into. What is pruned is decided by
 * our inventory alone.
 */
export function asApplySet(resources: readonly Resource[], { application, namespace }: ApplySet): Resource[] {
  if (resources.length === 0) return []
  const name = `applyset-${application}`
  const id = idOf(name, namespace)
  return [parentOf(resources, name, namespace, id), ...resources.map((each) => asMember(each, id))]
}

/** Whether a declaration is the parent of an ApplySet. */
export function isParent({ body }: Resource): boolean {
  const labels = (body['metadata'] as JsonObject)['labels'] as JsonObject | undefined
  return labels?.[`${PREFIX}id`] !== undefined
}

/** The parent as long as `more` are still there: what reads the set must not overlook what is about to be pruned. */
export function widened(parent: Resource, more: readonly ResourceRef[]): Resource {
  const metadata = parent.body['metadata'] as JsonObject
  const annotations = metadata['annotations'] as Readonly<Record<string, string>>
  const elsewhere = more.flatMap(({ namespace }) => (namespace === metadata['namespace'] ? [] : (namespace ?? [])))
  const wider = {
    ...annotations,
    [KINDS]: listed([...namesIn(annotations[KINDS]), ...more.map(groupKindOf)]),
    [NAMESPACES]: listed([...namesIn(annotations[NAMESPACES]), ...elsewhere]),
  }
  return { ...parent, body: { ...parent.body, metadata: { ...metadata, annotations: wider } } }
}

function namesIn(list: string | undefined): string[] {
  return (list ?? '').split(',').filter((name) => name !== '')
}

function groupKindOf({ group, kind }: ResourceRef): string {
  return group === undefined ? kind : `${kind}.${group}`
}

function idOf(name: string, namespace: string): string {
  const hash = createHash('sha256').update(`${name}.${namespace}.Secret.`).digest('base64url')
  return `applyset-${hash}-v1`
}

function asMember({ digest: _digest, ...each }: Resource, id: string): Resource {
  const metadata = each.body['metadata'] as JsonObject
  const labels = { ...(metadata['labels'] as JsonObject | undefined), [`${PREFIX}part-of`]: id }
  return resource({ ...each, body: { ...each.body, metadata: { ...metadata, labels } } })
}

function parentOf(resources: readonly Resource[], name: string, namespace: string, id: string): Resource {
  const kinds = resources.map(({ ref }) => groupKindOf(ref))
  const elsewhere = resources.flatMap(({ ref }) => (ref.namespace === namespace ? [] : (ref.namespace ?? [])))
  const annotations = {
    [`${PREFIX}tooling`]: 'gitops-sdk/v1',
    [KINDS]: listed(kinds),
    [NAMESPACES]: listed(elsewhere),
  }
  const metadata = { name, namespace, labels: { [`${PREFIX}id`]: id }, annotations }
  return resource({
    ref: { kind: 'Secret', namespace, name },
    body: { apiVersion: 'v1', kind: 'Secret', metadata },
    sensitive: ['/data', '/stringData'],
  })
}

function listed(names: readonly string[]): string {
  return [...new Set(names)].toSorted().join(',')
}
