import type { ResourceRef } from '../../desired/desired.ts'
import { assertPatterns, matchesPattern } from './pattern.ts'

/** What an application may touch. In every list `*` stands for any characters; an empty list allows nothing. */
export interface Restrictions {
  /** Ids of sources: `https://git.example/team-a/*`. */
  readonly sources: readonly string[]
  /** Ids of targets. */
  readonly targets: readonly string[]
  /** Namespaces of resources. */
  readonly namespaces: readonly string[]
  /** Kinds, as `Deployment` or with their group as `apps/Deployment`. @defaultValue all */
  readonly kinds?: readonly string[]
  /**
   * Resources without a namespace: none, all, or these kinds. A target that knows no namespaces
   * needs `true` or its kinds.
   *
   * @defaultValue false
   */
  readonly clusterScoped?: boolean | readonly string[]
  /** Names of applications whose outputs it may read and that it may wait for. @defaultValue none */
  readonly dependencies?: readonly string[]
}

/** The rule that a resource breaks. */
export type BrokenRule = 'identity' | 'kinds' | 'namespaces' | 'clusterScoped'

/** Throws `CONFIG_INVALID` for restrictions that cannot be meant, such as a blank name. */
export function assertRestrictions(rules: Restrictions): void {
  assertPatterns('sources', rules.sources)
  assertPatterns('targets', rules.targets)
  assertPatterns('namespaces', rules.namespaces)
  assertPatterns('kinds', rules.kinds ?? [])
  assertPatterns('clusterScoped', Array.isArray(rules.clusterScoped) ? rules.clusterScoped : [])
  assertPatterns('dependencies', rules.dependencies ?? [])
}

/** The rule that `ref` breaks; `undefined` when it may be touched. */
export function brokenRule(ref: ResourceRef, rules: Restrictions): BrokenRule | undefined {
  // A blank namespace is not "no namespace": what it would become is for the target to say, so it is refused.
  if (isBlank(ref.kind) || isBlank(ref.name) || (ref.namespace !== undefined && isBlank(ref.namespace)))
    return 'identity'
  if (rules.kinds !== undefined && !isKind(ref, rules.kinds)) return 'kinds'
  if (ref.namespace !== undefined) return isCovered(ref.namespace, rules.namespaces) ? undefined : 'namespaces'
  const { clusterScoped = false } = rules
  const isAllowed = typeof clusterScoped === 'boolean' ? clusterScoped : isKind(ref, clusterScoped)
  return isAllowed ? undefined : 'clusterScoped'
}

/** Whether one of the patterns covers `text`. A blank text is covered by none, not even by `*`. */
export function isCovered(text: string, patterns: readonly string[]): boolean {
  return !isBlank(text) && patterns.some((pattern) => matchesPattern(pattern, text))
}

function isKind({ group, kind }: ResourceRef, kinds: readonly string[]): boolean {
  return isCovered(kind, kinds) || (group !== undefined && isCovered(`${group}/${kind}`, kinds))
}

function isBlank(text: string): boolean {
  return typeof text !== 'string' || text.trim() === ''
}
