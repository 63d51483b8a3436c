import {
  type Call,
  GitOpsError,
  type Json,
  type JsonObject,
  label,
  type Output,
  type Outputs,
  type ResourceRef,
} from '@gitops-sdk/core'
import { getObject } from '../client/objects.ts'
import { assertAllowed, type NamespacePolicy } from '../declare/policy.ts'
import type { ClusterParts } from './cluster.ts'

/** Where a published value is taken from. */
export interface OutputSource {
  readonly ref: ResourceRef
  /** JSON Pointer into the object: `/status/loadBalancer/ingress/0/ip`. The values of a Secret come decoded. */
  readonly pointer: string
  /** @defaultValue true for a Secret, false otherwise */
  readonly sensitive?: boolean
}

/** Reads the published values. One that is not there yet is left out, so that those who depend on it wait. */
export async function readOutputs(
  sources: Readonly<Record<string, OutputSource>>,
  policy: NamespacePolicy,
  parts: Pick<ClusterParts, 'client' | 'cache'>,
  call: Call,
): Promise<Outputs> {
  const read = async ([name, source]: readonly [string, OutputSource]): Promise<(readonly [string, Output])[]> => {
    assertAllowed(source.ref, `output ${name}`, policy)
    const value = await readOne(source, parts, call)
    const sensitive = source.sensitive ?? isSecret(source.ref)
    return value === undefined ? [] : [[name, { value, ...(sensitive && { sensitive }) }]]
  }
  return Object.fromEntries((await Promise.all(Object.entries(sources).map(read))).flat())
}

async function readOne(
  { ref, pointer }: OutputSource,
  { client, cache }: Pick<ClusterParts, 'client' | 'cache'>,
  call: Call,
): Promise<Json | undefined> {
  const served = await cache.discovery.preferred(ref.group ?? '', ref.kind, call)
  if (served === undefined)
    throw new GitOpsError('CONFIG_INVALID', `The server does not know the kind of the output ${label(ref)}.`)
  const object = await getObject(client, { served, namespace: ref.namespace, name: ref.name }, call)
  const value = object && valueAt(object, pointer)
  return isSecret(ref) && pointer.startsWith('/data/') && typeof value === 'string'
    ? Buffer.from(value, 'base64').toString('utf8')
    : value
}

function isSecret({ group, kind }: ResourceRef): boolean {
  return (group ?? '') === '' && kind === 'Secret'
}

function valueAt(object: JsonObject, pointer: string): Json | undefined {
  let value: Json | undefined = object
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (value === null || typeof value !== 'object') return undefined
    value = Array.isArray(value) ? (value[Number(key)] as Json | undefined) : (value as JsonObject)[key]
  }
  return value
}
