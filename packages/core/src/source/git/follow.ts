import type { Call } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Revision } from '../source.ts'
import type { RevisionVerifier } from '../verify/signatures.ts'
import { parseCommit } from './commit.ts'
import { createProof, type ProofContext } from './proof.ts'
import {
  type ChosenRef,
  type GitRef,
  type RefQuery,
  chooseByName,
  chooseByVersion,
  looksLikeCommit,
  nearbyNames,
  parseRef,
} from './refs.ts'
import { isNear } from './history.ts'
import { type Rewrite, type RewritePolicy, rewriteError, rewriteOf } from './rewrites.ts'
import { findShortCommit } from './short-commit.ts'
import type { ObjectStore } from './store/object-store.ts'

/** One ref that is followed. */
export interface FollowedRef {
  /** The commit in force now, fetched and checked. */
  resolve(call: Call): Promise<Revision>
  /** Rejects with `REVISION_UNVERIFIED` where a revision that was recorded earlier may not be read. */
  admit(revision: Revision, call: Call): Promise<void>
  /** Lets a rewrite that leads to `commit` pass, once, although the policy is `hold`. */
  accept(commit: string): void
}

/** What following needs. */
export interface FollowContext extends ProofContext {
  readonly id: string
  /** The commit that was last in force, by what follows it. Survives a restart where a folder is kept. */
  readonly inForce: Map<string, ChosenRef>
  /** Called when `inForce` changed. */
  readonly onChange: (call: Call) => Promise<void>
}

/** Follows `ref`; throws `CONFIG_INVALID` for what cannot be one. */
export function followRef(
  context: FollowContext,
  ref: GitRef,
  policy: RewritePolicy,
  verify?: RevisionVerifier,
): FollowedRef {
  const query = parseRef(ref)
  const key = `${policy} ${verify === undefined ? '' : 'verified '}${query.kind} ${query.name}`
  const accepted = new Set<string>()
  const proof = verify === undefined ? undefined : createProof(context, query, verify)
  /** Whether several commits came at once the last time. It is likely that several come again. */
  let comesInSteps = false
  /** What the commit on the left took the place of, by rewriting. */
  const replaced = new Map<string, string>()
  return {
    admit: async (revision, call) => proof?.ofRecorded(revision, call),
    accept: (commit) => void accepted.add(commit),
    resolve: async (call) => {
      const before = context.inForce.get(key)
      const chosen = await choose(context, query, before, policy, call)
      const early = comesInSteps ? askEarly(context, before, chosen, proof !== undefined, call) : undefined
      await context.downloads.commit(chosen.oid, call, chosen.tag)
      const told = await early
      await proof?.ofChosen(chosen, call)
      if (query.kind !== 'commit' && before !== undefined) {
        const word = async (): Promise<boolean> => told ?? context.downloads.contains(chosen.oid, before.oid, call)
        const rewrite = await rewriteOf(before, chosen, proof === undefined ? { ...context, word } : context, call)
        if (rewrite !== undefined) {
          if (policy === 'hold' && !accepted.delete(chosen.oid)) throw rewriteError(rewrite)
          replaced.set(chosen.oid, rewrite.from)
        }
      }
      if (before?.oid !== chosen.oid || before.ref !== chosen.ref) {
        if (before !== undefined) comesInSteps = !(await isNear(chosen.oid, before.oid, context.store))
        context.inForce.set(key, chosen)
        await context.onChange(call)
      }
      return revisionOf(context.store, chosen, replaced.get(chosen.oid))
    },
  }
}

/**
 * Asks how the two are related at the same time as for the new one, where that will be needed: the server works on
 * both at once, and one trip is saved. What it does not answer is asked for afterwards, and fails there if it has to.
 */
async function askEarly(
  { store, downloads }: FollowContext,
  before: ChosenRef | undefined,
  { oid, ref }: ChosenRef,
  isProved: boolean,
  call: Call,
): Promise<boolean | undefined> {
  if (before?.ref !== ref || before.oid === oid || store.has(oid) || ref.startsWith('refs/tags/')) return undefined
  const asked = isProved ? downloads.historySince(oid, before.oid, call) : downloads.contains(oid, before.oid, call)
  return asked.catch(() => undefined)
}

/** What the ref leads to on the server now. */
async function choose(
  context: FollowContext,
  query: RefQuery,
  before: ChosenRef | undefined,
  policy: RewritePolicy,
  call: Call,
): Promise<ChosenRef> {
  if (query.kind === 'commit') return before ?? findCommit(context, query.digits, query.name, call)
  const refs = await context.poller.refs(query.prefixes, call)
  const chosen =
    query.kind === 'name' ? chooseByName(query, refs) : await newest(context, chooseByVersion(query, refs), call)
  if (chosen !== undefined) return chosen
  if (before !== undefined && policy === 'hold') throw rewriteError(deleted(before))
  if (query.kind === 'name' && looksLikeCommit(query.name)) {
    const oid = await findShortCommit(query.name, context, call)
    if (oid !== undefined) return { ref: oid, name: query.name, oid }
  }
  throw await notThere(context, query.name, call)
}

function deleted({ ref, oid }: ChosenRef): Rewrite {
  return { kind: 'ref deleted', ref, from: oid }
}

async function findCommit(context: FollowContext, digits: string, name: string, call: Call): Promise<ChosenRef> {
  if (digits.length === 40) return { ref: digits, name, oid: digits }
  const oid = await findShortCommit(digits, context, call)
  if (oid === undefined) throw await notThere(context, name, call)
  return { ref: oid, name, oid }
}

/** Versions that differ only in build metadata: the one committed last. */
async function newest(context: FollowContext, tags: readonly ChosenRef[], call: Call): Promise<ChosenRef | undefined> {
  if (tags.length < 2) return tags[0]
  const dated: { readonly tag: ChosenRef; readonly at: number }[] = []
  for (const tag of tags) {
    await context.downloads.commit(tag.oid, call, tag.tag)
    dated.push({ tag, at: parseCommit(await context.store.expect(tag.oid, 'commit')).committedAt })
  }
  return dated.toSorted((left, right) => right.at - left.at || (left.tag.name < right.tag.name ? -1 : 1))[0]?.tag
}

/** The error for a name that leads nowhere: an empty repository is one thing, a wrong name another. */
async function notThere(context: FollowContext, name: string, call: Call): Promise<GitOpsError> {
  const all = (await context.poller.refs([''], call)).filter(({ oid }) => oid !== undefined)
  if (all.length === 0) return new GitOpsError('SOURCE_EMPTY', `The repository ${context.id} has no commits yet.`)
  const nearby = nearbyNames(name, all)
  return new GitOpsError('REVISION_NOT_FOUND', `${name} is not in ${context.id}. There are: ${nearby.join(', ')}.`, {
    details: { nearby },
  })
}

async function revisionOf(store: ObjectStore, chosen: ChosenRef, replaces: string | undefined): Promise<Revision> {
  const commit = parseCommit(await store.expect(chosen.oid, 'commit'))
  return {
    id: chosen.oid,
    name: chosen.name,
    at: commit.committedAt,
    author: commit.author,
    message: commit.message.split('\n', 1)[0] ?? '',
    ...(replaces === undefined ? {} : { replaces }),
  }
}
