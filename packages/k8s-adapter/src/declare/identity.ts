import { GitOpsError, type JsonObject, type Origin, originText, type ResourceRef } from '@gitops-sdk/core'
import { objectAt } from '../client/json.ts'
import { groupOf } from './kinds.ts'

/** What an object says it is, checked. */
export interface Identity {
  readonly apiVersion: string
  readonly group: string
  readonly kind: string
  readonly name: string
  readonly namespace: string | undefined
}

const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
/** Kinds whose names are only path segments: RBAC permits upper case and colons. */
const freeNames: ReadonlySet<string> = new Set(['rbac.authorization.k8s.io'])

/**
 * Reads and checks apiVersion, kind, name and namespace: what must be right before anything can be asked
 * of a server. Throws `DECLARATION_INVALID`, naming the place.
 */
export function identify(body: JsonObject, origin: Origin | undefined): Identity {
  const fail = (why: string): never => {
    throw new GitOpsError('DECLARATION_INVALID', `${originText(origin)}: ${why}.`, { details: { ...origin } })
  }
  const text = (value: unknown, field: string): string =>
    typeof value === 'string' && value !== '' ? value : fail(`an object of Kubernetes needs the field ${field}`)
  const apiVersion = text(body['apiVersion'], 'apiVersion')
  const kind = text(body['kind'], 'kind')
  if (!/^([a-z0-9.-]+\/)?v[a-z0-9]+$/.test(apiVersion)) fail(`the apiVersion of a ${kind} is not group/version`)
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(kind)) fail('the kind is not a word of letters and digits')
  const metadata = objectAt(body, 'metadata')
  if (metadata['name'] === undefined && metadata['generateName'] !== undefined)
    fail(`a ${kind} has generateName and no name: it would be made anew on every reconcile. Give it a name`)
  const name = text(metadata['name'], 'metadata.name')
  const group = groupOf(apiVersion)
  const problem = problemOfName(name, group)
  if (problem !== undefined) fail(`the name of a ${kind} ${problem}`)
  return { apiVersion, group, kind, name, namespace: namespaceOf(metadata, kind, fail) }
}

function problemOfName(name: string, group: string): string | undefined {
  if (name.length > 253) return `has ${name.length} characters, more than 253`
  if (name === '.' || name === '..' || /[/%]/.test(name)) return 'cannot be part of a path'
  return freeNames.has(group) || dnsSubdomain.test(name)
    ? undefined
    : 'is not made of lower-case letters, digits, - and .'
}

function namespaceOf(metadata: JsonObject, kind: string, fail: (why: string) => never): string | undefined {
  const namespace = metadata['namespace']
  if (namespace === undefined || namespace === null || namespace === '') return undefined
  if (typeof namespace === 'string' && namespace.length <= 63 && dnsLabel.test(namespace)) return namespace
  return fail(`the namespace of a ${kind} is not a name of up to 63 lower-case letters, digits and -`)
}

/** The ref of an identity in the namespace it ends up in. */
export function refOf({ group, kind, name }: Identity, namespace: string | undefined): ResourceRef {
  return { ...(group !== '' && { group }), kind, ...(namespace !== undefined && { namespace }), name }
}
