import { GitOpsError } from '../../runtime/errors.ts'
import type { Source } from '../source.ts'
import type { RevisionVerifier } from '../verify/signatures.ts'
import { type EntryPolicy, pathParts } from './find-path.ts'
import type { FollowedRef } from './follow.ts'
import type { GitRef } from './refs.ts'
import { checkSourceOptions } from './options.ts'
import { type GitRepository, type GitRepositoryOptions, openRepository } from './repository.ts'
import type { RewritePolicy } from './rewrites.ts'
import type { GitWriterOptions } from './write/writer.ts'

/** What a source follows in a repository, and what it makes of it. */
export interface GitSourceView extends Partial<EntryPolicy> {
  /** Branch, tag, commit, range of versions or any ref. @defaultValue `HEAD`, the default branch of the server */
  readonly ref?: GitRef
  /** The folder that is the root of the snapshots. @defaultValue the whole repository */
  readonly path?: string
  /**
   * What is done when history is rewritten under the ref. That many commits at once continue the last one is the word of the
   * server, and proved with `verify`. @defaultValue `hold`
   */
  readonly onRewritten?: RewritePolicy
  /**
   * Asked before a revision comes into force, and before a recorded one is read (a rollback, a restart), once for each;
   * `verifySignatures` makes one. @defaultValue nothing is asked
   */
  readonly verify?: RevisionVerifier
  /** Lets rollbacks and promotions commit on the branch that is followed. @defaultValue read-only */
  readonly write?: GitWriterOptions
}

/** A repository of its own, or one that several sources share. */
export type GitSourceOptions = GitSourceView & (GitRepositoryOptions | { readonly repository: GitRepository })

/** A source in Git. Disposing it closes the connections of a repository of its own. */
export interface GitSource extends Source {
  /** Lets a held rewrite that leads to `commit` pass. */
  acceptRewrite(commit: string): void
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Desired state in Git: follows a ref of a repository and reads a folder of it, without a checkout.
 *
 * `resolve` polls with one request, and fetches and checks what is new, so that a revision it gives
 * can be read completely. The digest of a folder is its object id: a commit elsewhere in the
 * repository does not change it. Throws `CONFIG_INVALID` or `USERINFO_IN_URL` at once for options
 * that cannot be meant. A source with a `path` and a repository of its own fetches only the files
 * below the path, unless `partial` is false.
 */
export function gitSource(options: GitSourceOptions): GitSource {
  checkSourceOptions(options)
  const path = pathParts(options.path ?? '').join('/')
  const shared = 'repository' in options
  const repository = shared
    ? options.repository
    : openRepository({ ...options, partial: options.partial ?? path !== '' })
  const followed = repository.follow(options.ref ?? 'HEAD', options.onRewritten ?? 'hold', options.verify)
  const view = { path, symlinks: options.symlinks ?? 'refuse', submodules: options.submodules ?? 'refuse' }
  // A commit of ours vouches for all of its tree: also for what others put there.
  const admit: FollowedRef['admit'] = (revision, call) => followed.admit(revision, call)
  const { write } = options
  const writer = write === undefined ? {} : { writer: repository.writer(branchOf(options.ref), view, write, admit) }
  return {
    ...writer,
    id: path === '' ? repository.id : `${repository.id}//${path}`,
    resolve: (call) => followed.resolve(call),
    snapshot: async (revision, call) => {
      await admit(revision, call)
      return repository.snapshot(revision, view, call)
    },
    acceptRewrite: (commit) => followed.accept(commit),
    [Symbol.asyncDispose]: async () => (shared ? undefined : repository[Symbol.asyncDispose]()),
  }
}

/** The branch to commit on: the one that is followed. Other refs cannot be written. */
function branchOf(ref: GitRef | undefined): string {
  if (typeof ref === 'string') return ref
  if (ref !== undefined && 'branch' in ref) return ref.branch
  throw new GitOpsError('CONFIG_INVALID', 'A source that writes follows a branch: set `ref` to its name.')
}
