import { type Resource, type Target, desiredState, resource, walk } from '@gitops-sdk/core'
import { type Document, decodeDocuments } from '@gitops-sdk/core/files'
import { memoryTarget } from '@gitops-sdk/core/testing'

/**
 * A system in memory that takes any YAML or JSON document: what says `kind` and `metadata.name` by these, others by
 * their place. It shows what a repository declares, and is forgotten when the process ends.
 */
export function documentTarget(): Target {
  return {
    ...memoryTarget({ id: 'memory' }),
    async declare(snapshot, call) {
      const resources: Resource[] = []
      for await (const { path, type } of walk(snapshot, '', call)) {
        if (type !== 'file' || !/\.(json|ya?ml)$/.test(path)) continue
        const documents = [...decodeDocuments(await snapshot.read(path, call), path)]
        resources.push(...documents.map(declare))
      }
      return desiredState(snapshot.revision, resources)
    },
  }
}

function declare({ body, origin }: Document, index: number): Resource {
  const { kind, metadata } = body
  const { name, namespace } = (typeof metadata === 'object' && metadata !== null ? metadata : {}) as Record<
    string,
    unknown
  >
  if (typeof kind !== 'string' || typeof name !== 'string')
    return resource({
      ref: { kind: 'document', name: `${origin.path}${index === 0 ? '' : `#${index + 1}`}` },
      body,
      origin,
    })
  const place = typeof namespace === 'string' ? { namespace } : {}
  return resource({ ref: { kind, name, ...place }, body, origin })
}
