import { type Resource, type Target, desiredState, originText, resource, walk } from '@gitops-sdk/core'
import { type Document, decodeDocuments } from '@gitops-sdk/core/files'
import { memoryTarget } from '@gitops-sdk/core/testing'

/** An empty target that takes any YAML or JSON document: Kubernetes manifests by their kind and name, others by their file. */
export function documentTarget(): Target {
  return {
    ...memoryTarget({ id: 'nothing yet' }),
    async declare(snapshot, call) {
      const resources: Resource[] = []
      for await (const { path, type } of walk(snapshot, '', call)) {
        if (type !== 'file' || !/\.(json|ya?ml)$/.test(path)) continue
        const documents = decodeDocuments(await snapshot.read(path, call), path)
        for (const document of documents) resources.push(declare(document))
      }
      return desiredState(snapshot.revision, resources)
    },
  }
}

function declare({ body, origin }: Document): Resource {
  const { apiVersion, kind, metadata } = body
  const { name, namespace } = (typeof metadata === 'object' && metadata !== null ? metadata : {}) as Record<
    string,
    unknown
  >
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') {
    return resource({ ref: { kind: 'document', name: originText(origin) }, body, origin })
  }
  const [group] = apiVersion.includes('/') ? apiVersion.split('/') : []
  const place = typeof namespace === 'string' ? { namespace } : {}
  return resource({ ref: { kind, name, ...place, ...(group !== undefined && { group }) }, body, origin })
}
