import { type Json, type JsonObject, GitOpsError } from '@gitops-sdk/core'
import { APPLY_SET_MANAGER } from '../declare/apply-set.ts'
import { follow, type ManagerEntry, managersOf } from './field-set.ts'

/** What others may add to objects in strict mode. */
export interface StrictOptions {
  /** Managers whose fields are not drift. @defaultValue the controllers of Kubernetes itself: `kubernetesControllers` */
  readonly allow?: readonly string[]
}

/** Managers that complete objects as a part of Kubernetes: their fields are no drift in strict mode. */
export const kubernetesControllers: readonly string[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'cloud-controller-manager',
]

/** Decides whose fields are drift; `undefined` where nobody's are. */
export type IsStranger = (manager: string) => boolean

/** The rule an option asks for. Throws `CONFIG_INVALID`. */
export function strangerRule(strict: boolean | StrictOptions | undefined): IsStranger | undefined {
  if (strict === undefined || strict === false) return undefined
  const allow: unknown = strict === true ? kubernetesControllers : (strict.allow ?? kubernetesControllers)
  if (!Array.isArray(allow) || !allow.every((name) => typeof name === 'string'))
    throw new GitOpsError('CONFIG_INVALID', 'strict.allow must be a list of names of field managers.')
  const allowed = new Set<string>(allow)
  return (manager) => manager !== APPLY_SET_MANAGER && !allowed.has(manager)
}

/**
 * What others own of an object and `self` did not apply. A status, a scale and any other subresource is the business
 * of whoever writes it, and finalizers and owners hold an object for somebody: they are never extras.
 */
export function extrasBy(object: JsonObject, self: string): ReadonlyMap<ManagerEntry, JsonObject> {
  const entries = managersOf(object).filter(({ subresource }) => subresource === '')
  const mine = entries.find((each) => isOwn(each, self))?.fields ?? {}
  const extras = new Map<ManagerEntry, JsonObject>()
  if (entries.length === 1 && mine === entries[0]!.fields) return extras
  for (const entry of entries) {
    const more = isOwn(entry, self) ? {} : withoutHolds(difference(entry.fields, mine))
    if (Object.keys(more).length > 0) extras.set(entry, more)
  }
  return extras
}

function isOwn({ manager, operation }: ManagerEntry, self: string): boolean {
  return manager === self && operation === 'Apply'
}

/** The fields of `set` that are not in `other`. That an object or an item exists is said by what is in it. */
function difference(set: JsonObject, other: JsonObject): JsonObject {
  const rest: Record<string, Json> = {}
  for (const [step, below] of Object.entries(set)) {
    if (step === '.') continue
    const same = other[step]
    if (same === undefined) {
      rest[step] = below
      continue
    }
    if (isLeaf(same)) continue
    const more = difference(below as JsonObject, same as JsonObject)
    if (Object.keys(more).length > 0) rest[step] = more
  }
  return rest
}

function isLeaf(set: Json): boolean {
  return Object.keys(set as JsonObject).length === 0
}

function withoutHolds(set: JsonObject): JsonObject {
  const { 'f:metadata': metadata, ...rest } = set
  if (metadata === undefined) return rest
  const { 'f:finalizers': _finalizers, 'f:ownerReferences': _owners, ...more } = metadata as JsonObject
  return Object.keys(more).length === 0 ? rest : { ...rest, 'f:metadata': more }
}

/** A value without the fields of a set; the items of a list, and what is left empty, go with their fields. */
export function without(value: Json, set: JsonObject): Json | undefined {
  const steps = Object.keys(set).filter((step) => step !== '.')
  if (steps.length === 0) return undefined
  if (Array.isArray(value)) return withoutItems(value, set, steps)
  if (value === null || typeof value !== 'object') return value
  const left: Record<string, Json> = { ...(value as JsonObject) }
  for (const step of steps) {
    const name = step.slice(2)
    const below = left[name]
    const rest = below === undefined ? undefined : without(below, set[step] as JsonObject)
    if (rest === undefined) delete left[name]
    else left[name] = rest
  }
  return Object.keys(left).length === 0 ? undefined : left
}

function withoutItems(items: readonly Json[], set: JsonObject, steps: readonly string[]): Json {
  const changed = new Map(steps.map((step) => [follow(items as Json[], step), step]))
  return items.flatMap((item) => {
    const step = changed.get(item)
    if (step === undefined) return [item]
    const below = set[step] as JsonObject
    // Whoever owns an item as such brought it, with what the server completed in it.
    const rest = '.' in below ? undefined : without(item, below)
    return rest === undefined ? [] : [rest]
  })
}
