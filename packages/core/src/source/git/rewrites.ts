import type { Call } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { type Descent, type DescentContext, descentOf } from './history.ts'
import type { ChosenRef } from './refs.ts'
import { isLowerVersion } from './versions.ts'

/** What happened to a ref that did not simply move forward. */
export interface Rewrite {
  readonly kind: 'history replaced' | 'tag moved' | 'ref deleted' | 'version withdrawn' | 'history unknown'
  /** Full name of the ref as it was. */
  readonly ref: string
  /** The commit that was in force. */
  readonly from: string
  /** The commit that the ref leads to now; absent when it was deleted. */
  readonly to?: string
}

/**
 * What to do about a rewrite. `hold` keeps the last good revision and reports `REVISION_REWRITTEN`
 * until the ref is restored or the rewrite is accepted; `follow` takes the new one.
 */
export type RewritePolicy = 'hold' | 'follow'

/** Tells whether `next` continues what was seen of the same ref before. */
export async function rewriteOf(
  before: ChosenRef,
  next: ChosenRef,
  context: DescentContext,
  call: Call,
): Promise<Rewrite | undefined> {
  if (before.oid === next.oid) return undefined
  const both = { ref: before.ref, from: before.oid, to: next.oid }
  if (before.ref !== next.ref)
    return isLowerVersion(next.name, before.name) ? { kind: 'version withdrawn', ...both } : undefined
  if (before.ref.startsWith('refs/tags/')) return { kind: 'tag moved', ...both }
  const descent: Descent = await descentOf(next.oid, before.oid, context, call)
  if (descent === 'descends') return undefined
  return { kind: descent === 'unknown' ? 'history unknown' : 'history replaced', ...both }
}

const sentences: Readonly<Record<Rewrite['kind'], string>> = {
  'history replaced': 'does not contain the commit that was in force: its history was replaced',
  'tag moved': 'is a tag that was moved to another commit',
  'ref deleted': 'was deleted',
  'version withdrawn': 'was withdrawn: the highest version in the range is an older one now',
  'history unknown':
    'cannot be shown to continue the commit that was in force, because the server cuts its history off',
}

/** The error for a rewrite that is held. */
export function rewriteError(rewrite: Rewrite): GitOpsError {
  const { ref, from, to, kind } = rewrite
  const ids = to === undefined ? `It was at ${from}.` : `It was at ${from} and is at ${to}.`
  return new GitOpsError('REVISION_REWRITTEN', `${ref} ${sentences[kind]}. ${ids}`, { details: { ...rewrite } })
}
