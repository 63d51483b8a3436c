import { GitOpsError } from '../runtime/errors.ts'
import { extend } from '../runtime/extend.ts'
import type { Json } from '../runtime/json.ts'
import type { Revision } from '../source/source.ts'
import { resourcesByKey } from './by-key.ts'
import type { DesiredState, Origin, Resource } from './desired.ts'
import { canonicalJson, digestOf } from './digest.ts'
import { compareRefs, label } from './ref.ts'

/** A declared resource. The digest is computed from the body unless it is given. */
export function resource(given: Omit<Resource, 'digest'> & { readonly digest?: string }): Resource {
  if (given.digest !== undefined) return extend(given, { digest: given.digest })
  const made = extend(given, { digest: digestOf(given.body) })
  digested.add(made)
  return made
}

const digested = new WeakSet<Resource>()

/** Whether the digest of a resource is that of its body, and not one that a target gave it. Not known of copies. */
export function isDigestOfBody(declared: Resource): boolean {
  return digested.has(declared)
}

/** What a declaration holds besides its resources. */
export interface DesiredStateExtras {
  /** Values from outside the source that the declarations were made with: they count into the digest. */
  readonly inputs?: Json
  readonly warnings?: readonly string[]
  readonly payload?: unknown
}

/**
 * The desired state of one revision: sorted by ref, with the digest of everything that was declared.
 * The revision itself is not part of the digest: a commit that changes nothing here wants nothing new.
 *
 * Throws `DECLARATION_DUPLICATE`, naming both origins, when two resources have the same ref.
 */
export function desiredState(
  revision: Revision,
  resources: Iterable<Resource>,
  { inputs, ...extras }: DesiredStateExtras = {},
): DesiredState {
  const sorted = [...resources].sort((left, right) => compareRefs(left.ref, right.ref))
  refuseDuplicates(sorted)
  return { revision, digest: digestOfAll(sorted, inputs), resources: sorted, ...extras }
}

function refuseDuplicates(sorted: readonly Resource[]): void {
  let before: Resource | undefined
  for (const each of sorted) {
    if (before !== undefined && compareRefs(before.ref, each.ref) === 0) throw duplicate(before, each)
    before = each
  }
}

function duplicate(first: Resource, second: Resource): GitOpsError {
  const places = [originText(first.origin), originText(second.origin)]
  return new GitOpsError(
    'DECLARATION_DUPLICATE',
    `${label(first.ref)} is declared twice: in ${places.join(' and in ')}. Remove one of them.`,
    { details: { ref: first.ref, origins: places } },
  )
}

/** Where a declaration stands, as editors write it: `deploy/web.yaml:12`. */
export function originText(origin: Origin | undefined): string {
  if (origin === undefined) return 'an unknown place'
  return origin.line === undefined ? origin.path : `${origin.path}:${origin.line}`
}

function digestOfAll(sorted: readonly Resource[], inputs: Json | undefined): string {
  const lines = Array.from(resourcesByKey(sorted), ([key, each]) => [key, each.digest, exceptionsOf(each)])
  return digestOf(inputs === undefined ? lines : [lines, inputs])
}

function exceptionsOf({ order, options, sensitive }: Resource): string {
  if (order === undefined && options === undefined && sensitive === undefined) return ''
  return canonicalJson(JSON.parse(JSON.stringify({ order, options, sensitive })))
}
