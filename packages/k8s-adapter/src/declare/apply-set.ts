import { createHash } from 'node:crypto'
import { type JsonObject, type Resource, resource } from '@gitops-sdk/core'

const PREFIX = 'applyset.kubernetes.io/'

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
  const kinds = resources.map(({ ref: { group, kind } }) => (group === undefined ? kind : `${kind}.${group}`))
  const elsewhere = resources.flatMap(({ ref }) => (ref.namespace === namespace ? [] : (ref.namespace ?? [])))
  const annotations = {
    [`${PREFIX}tooling`]: 'gitops-sdk/v1',
    [`${PREFIX}contains-group-kinds`]: listed(kinds),
    [`${PREFIX}additional-namespaces`]: listed(elsewhere),
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
