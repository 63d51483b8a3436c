import type { JsonObject } from '@gitops-sdk/core'
import { objectOf, objectsOf, textOf, textsOf } from '../../client/json.ts'
import type { Kinds } from './kinds.ts'
import type { Store } from './store.ts'

/** Who makes a request. */
export interface User {
  readonly name: string
  readonly groups: readonly string[]
  readonly uid: string
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** What somebody wants to do. */
export interface Attempt {
  readonly verb: string
  readonly group: string
  /** With its subresource, such as `deployments/status`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
}

/** Whether the roles that are bound to a user, or to a group of theirs, permit an attempt. */
export function mayDo(user: User, attempt: Attempt, kinds: Kinds, store: Store): boolean {
  if (user.groups.includes('system:masters')) return true
  const everywhere = boundRules(user, 'clusterrolebindings', undefined, kinds, store)
  const here = attempt.namespace === '' ? [] : boundRules(user, 'rolebindings', attempt.namespace, kinds, store)
  return [...everywhere, ...here].some((rule) => permits(rule, attempt))
}

const RBAC = 'rbac.authorization.k8s.io/v1'

function boundRules(
  user: User,
  resource: 'clusterrolebindings' | 'rolebindings',
  namespace: string | undefined,
  kinds: Kinds,
  store: Store,
): JsonObject[] {
  const bindings = kinds.find(RBAC, resource)
  if (bindings === undefined) return []
  return store
    .list(bindings, namespace)
    .filter((binding) => objectsOf(binding['subjects']).some((subject) => isMeant(subject, user)))
    .flatMap((binding) => {
      const reference = objectOf(binding['roleRef'])
      const role = kinds.find(RBAC, reference['kind'] === 'Role' ? 'roles' : 'clusterroles')
      const found = role && store.get(role, role.namespaced ? (namespace ?? '') : '', textOf(reference['name']))
      return found === undefined ? [] : objectsOf(found['rules'])
    })
}

function isMeant({ kind, name, namespace }: JsonObject, user: User): boolean {
  if (kind === 'Group') return user.groups.includes(textOf(name))
  if (kind === 'ServiceAccount') return user.name === `system:serviceaccount:${textOf(namespace)}:${textOf(name)}`
  return kind === 'User' && user.name === name
}

function permits(rule: JsonObject, { verb, group, resource, name }: Attempt): boolean {
  const includes = (field: string, value: string): boolean =>
    textsOf(rule[field]).some((each) => each === '*' || each === value)
  const names = textsOf(rule['resourceNames'])
  return (
    includes('verbs', verb) &&
    includes('apiGroups', group) &&
    includes('resources', resource) &&
    (names.length === 0 || names.includes(name))
  )
}

/** The user as the server tells who somebody is. */
export function userInfo({ name, uid, groups, extra }: User): JsonObject {
  const more = Object.keys(extra).length > 0
  return {
    username: name,
    ...(uid !== '' && { uid }),
    groups: [...groups],
    ...(more && { extra: extra as JsonObject }),
  }
}
