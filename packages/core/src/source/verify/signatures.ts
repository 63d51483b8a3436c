import type { Call } from '../../runtime/call.ts'
import { unverified } from './unverified.ts'
import type { RawObject } from './signed-object.ts'
import { type Trust, verifyCommit, verifyTag } from './verify.ts'

/** A revision that would come into force. */
export interface RevisionCandidate {
  readonly commit: RawObject
  /** The annotated tag that led to the commit. Absent for branches, commits and lightweight tags. */
  readonly tag?: RawObject & { readonly name: string }
}

/** Lets a revision come into force, or rejects with `REVISION_UNVERIFIED`: then the one before stays. */
export type RevisionVerifier = (candidate: RevisionCandidate, call: Call) => Promise<void>

/** What must be signed, by whom. */
export interface SignatureRules extends Trust {
  /** `head`: the commit. `tag`: the annotated tag that leads to it. `both`: both. @defaultValue 'head' */
  readonly mode?: 'head' | 'tag' | 'both'
}

/** A verifier that demands signatures. Give it to `gitSource` as `verify`. */
export function verifySignatures({ mode = 'head', ...trust }: SignatureRules): RevisionVerifier {
  return async ({ commit, tag }, { clock }) => {
    if (mode !== 'tag') await verifyCommit(commit, trust, clock.now())
    if (mode === 'head') return
    const subject = `commit ${commit.id.slice(0, 12)}`
    if (tag === undefined) throw unverified('unsigned', subject, 'no annotated tag leads to it, so no signed one can')
    await verifyTag(tag, commit.id, trust, clock.now())
  }
}
