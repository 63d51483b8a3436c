import {
  GitOpsError,
  type HookOptions,
  type JsonObject,
  type Order,
  type Phase,
  type ResourceOptions,
  type ResourceRef,
} from '@gitops-sdk/core'
import { objectAt } from '../client/json.ts'

/** What the annotations of an object ask for. */
export interface Wishes {
  readonly order?: Order
  readonly options?: ResourceOptions
  /** Made when it is missing, never changed afterwards. */
  readonly createOnly?: boolean
  /** Options that were understood and cannot be followed, for the warnings. */
  readonly unsupported: readonly string[]
}

/** Prefix of our own annotations. */
export const OWN = 'gitops-sdk/'
const ARGO = 'argocd.argoproj.io/'
const FLUX = 'kustomize.toolkit.fluxcd.io/'
const HELM = 'helm.sh/'

/**
 * Reads the annotations people already have: those of Argo CD, Flux, Helm, cli-utils and our own, where
 * ours win. Throws `DECLARATION_INVALID` for one whose value makes no sense; `describe` names the object.
 */
export function wishesOf(body: JsonObject, describe: () => string): Wishes {
  const annotations = annotationsOf(body)
  if (annotations.size === 0) return { unsupported: [] }
  const reading: Reading = { annotations, describe, unsupported: [] }
  const order = orderFrom(reading)
  const options = optionsFrom(reading)
  const createOnly = is(reading, `${OWN}create-only`, 'true') || is(reading, `${FLUX}ssa`, 'ifnotpresent')
  return {
    ...(Object.keys(order).length > 0 && { order }),
    ...(Object.keys(options).length > 0 && { options }),
    ...(createOnly && { createOnly }),
    unsupported: reading.unsupported,
  }
}

/** The exceptions a living object carries, for one that is no longer declared. A value that makes no sense keeps it. */
export function optionsOfLive(body: JsonObject): ResourceOptions {
  try {
    return wishesOf(body, () => 'the object').options ?? {}
  } catch {
    return { prune: false }
  }
}

/** The annotations of an object whose values are text; others are left to the server to refuse. */
export function annotationsOf(body: JsonObject): ReadonlyMap<string, string> {
  const all = Object.entries(objectAt(objectAt(body, 'metadata'), 'annotations'))
  return new Map(all.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

interface Reading {
  readonly annotations: ReadonlyMap<string, string>
  readonly describe: () => string
  readonly unsupported: string[]
}

function orderFrom(reading: Reading): Order {
  const phase = phaseFrom(reading)
  const wave = numberFrom(reading, `${OWN}wave`, `${ARGO}sync-wave`, `${HELM}hook-weight`)
  const dependsOn = [`${OWN}depends-on`, 'config.kubernetes.io/depends-on'].flatMap((name) => refsFrom(reading, name))
  const deletePolicy = deletePolicyFrom(reading)
  const hook: HookOptions = deletePolicy.length > 0 ? { deletePolicy } : {}
  const pruneLast = syncOptions(reading).get('PruneLast') === 'true'
  return {
    ...(phase && { phase: phase.phase }),
    ...(phase?.hook && { hook }),
    ...(wave !== undefined && { wave }),
    ...(dependsOn.length > 0 && { dependsOn }),
    ...(pruneLast && { pruneLast }),
  }
}

interface PhaseOf {
  readonly phase: Phase
  readonly hook: boolean
}

const helmPhases: Readonly<Record<string, Phase>> = {
  'pre-install': 'PreSync',
  'pre-upgrade': 'PreSync',
  'post-install': 'PostSync',
  'post-upgrade': 'PostSync',
  'pre-delete': 'PreDelete',
  'post-delete': 'PostDelete',
}
const phases: readonly Phase[] = ['PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreDelete', 'PostDelete']

function phaseFrom(reading: Reading): PhaseOf | undefined {
  const own = valueOf(reading, `${OWN}hook`)
  if (own !== undefined) return { phase: phaseNamed(reading, `${OWN}hook`, own), hook: true }
  const plain = valueOf(reading, `${OWN}phase`)
  if (plain !== undefined) return { phase: phaseNamed(reading, `${OWN}phase`, plain), hook: false }
  const argo = words(valueOf(reading, `${ARGO}hook`)).filter((word) => word !== 'Skip')
  if (argo.length > 0)
    return onePhase(
      reading,
      argo.map((word) => phaseNamed(reading, `${ARGO}hook`, word)),
    )
  const helm = words(valueOf(reading, `${HELM}hook`)).flatMap((word) => helmPhases[word] ?? [])
  return helm.length > 0 ? onePhase(reading, helm) : undefined
}

function onePhase(reading: Reading, found: readonly Phase[]): PhaseOf {
  const distinct = [...new Set(found)]
  if (distinct.length > 1) reading.unsupported.push(`more than one phase for a hook: it runs in ${distinct[0]} only`)
  return { phase: distinct[0]!, hook: true }
}

function phaseNamed(reading: Reading, name: string, text: string): Phase {
  const phase = phases.find((each) => each.toLowerCase() === text.toLowerCase())
  return phase ?? refuse(reading, name, `one of ${phases.join(', ')}`)
}

function deletePolicyFrom(reading: Reading): NonNullable<HookOptions['deletePolicy']> {
  const known = ['BeforeHookCreation', 'HookSucceeded', 'HookFailed'] as const
  const given = [`${OWN}hook-delete-policy`, `${ARGO}hook-delete-policy`, `${HELM}hook-delete-policy`]
  const asked = given
    .flatMap((name) => words(valueOf(reading, name)))
    .map((word) => word.replaceAll('-', '').toLowerCase())
  return known.filter((policy) => asked.includes(policy.toLowerCase()))
}

function optionsFrom(reading: Reading): ResourceOptions {
  const prune = pruneFrom(reading)
  const leftAlone = reconcileFrom(reading)
  const sync = syncOptions(reading)
  const replaced = sync.get('Replace') === 'true' && sync.get('Force') === 'true'
  if (sync.get('Replace') === 'true' && !replaced)
    reading.unsupported.push('Replace=true without Force=true: the object is applied, not replaced')
  const replace = replaced || is(reading, `${FLUX}force`, 'enabled') || is(reading, `${OWN}replace`, 'allowed')
  const unhealthy = is(reading, `${OWN}health`, 'ignored') || is(reading, `${ARGO}ignore-healthcheck`, 'true')
  return {
    ...(prune !== undefined && { prune }),
    ...(is(reading, `${OWN}self-heal`, 'disabled') && { selfHeal: false }),
    ...(replace && { replace }),
    ...(unhealthy && { health: false }),
    ...(leftAlone && { reconcile: false }),
  }
}

function pruneFrom(reading: Reading): boolean | 'confirm' | undefined {
  const own = valueOf(reading, `${OWN}prune`)
  if (own === 'confirm') return 'confirm'
  if (own !== undefined) return own === 'disabled' ? false : refuse(reading, `${OWN}prune`, 'disabled or confirm')
  const asked = syncOptions(reading).get('Prune')
  if (asked === 'confirm') return 'confirm'
  const kept =
    asked === 'false' ||
    is(reading, `${FLUX}prune`, 'disabled') ||
    is(reading, `${HELM}resource-policy`, 'keep') ||
    is(reading, 'client.lifecycle.config.k8s.io/deletion', 'detach') ||
    is(reading, 'cli-utils.sigs.k8s.io/on-remove', 'keep')
  return kept ? false : undefined
}

function reconcileFrom(reading: Reading): boolean {
  return (
    is(reading, `${OWN}reconcile`, 'disabled') ||
    is(reading, `${FLUX}reconcile`, 'disabled') ||
    is(reading, `${FLUX}ssa`, 'ignore') ||
    is(reading, 'client.lifecycle.config.k8s.io/mutation', 'ignore') ||
    words(valueOf(reading, `${ARGO}hook`)).includes('Skip') ||
    isForeignHelmHook(reading)
  )
}

/** Tests and rollback hooks of Helm are run by `helm test` and `helm rollback`, never by a reconcile. */
function isForeignHelmHook(reading: Reading): boolean {
  const hooks = words(valueOf(reading, `${HELM}hook`)).filter((word) => word !== 'crd-install')
  return hooks.length > 0 && hooks.every((word) => helmPhases[word] === undefined)
}

function syncOptions(reading: Reading): ReadonlyMap<string, string> {
  const pairs = words(valueOf(reading, `${ARGO}sync-options`)).map((word) => word.split('='))
  return new Map(pairs.map(([key = '', value = '']) => [key, value]))
}

function numberFrom(reading: Reading, ...names: readonly string[]): number | undefined {
  const name = names.find((each) => reading.annotations.has(each))
  if (name === undefined) return undefined
  const text = valueOf(reading, name) ?? ''
  return /^-?\d{1,9}$/.test(text) ? Number(text) : refuse(reading, name, 'a whole number')
}

function refsFrom(reading: Reading, name: string): ResourceRef[] {
  return words(valueOf(reading, name)).map((word) => {
    const parts = word.split('/')
    const [group = '', second = '', third = '', kind = '', last = ''] = parts
    if (parts.length === 3 && second !== '' && third !== '') return { ...groupPart(group), kind: second, name: third }
    if (parts.length === 5 && second === 'namespaces' && kind !== '' && last !== '')
      return { ...groupPart(group), kind, namespace: third, name: last }
    return refuse(reading, name, 'a list of group/kind/name or group/namespaces/namespace/kind/name')
  })
}

function groupPart(group: string): Pick<ResourceRef, 'group'> {
  return group === '' ? {} : { group }
}

function is(reading: Reading, name: string, value: string): boolean {
  return valueOf(reading, name)?.toLowerCase() === value
}

function valueOf({ annotations }: Reading, name: string): string | undefined {
  return annotations.get(name)?.trim()
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()]))
}

function refuse({ describe }: Reading, name: string, expected: string): never {
  throw new GitOpsError('DECLARATION_INVALID', `${describe()}: the annotation ${name} must be ${expected}.`, {
    details: { annotation: name },
  })
}
