import type { Source } from '../source.ts'
import { type GitRef, parseRef } from './refs.ts'
import { type GitRepository, type GitRepositoryOptions, gitRepository } from './repository.ts'
import { pathParts } from './snapshot.ts'

/** What a source follows in a repository. */
export interface GitSourceView {
  /** Branch, tag, commit, range of versions or any ref. @defaultValue `HEAD`, the default branch of the server */
  readonly ref?: GitRef
  /** The folder that is the root of the snapshots. @defaultValue the whole repository */
  readonly path?: string
}

/** A repository of its own, or one that several sources share. */
export type GitSourceOptions = GitSourceView & (GitRepositoryOptions | { readonly repository: GitRepository })

/** A source in Git. Disposing it closes the connections of a repository of its own. */
export interface GitSource extends Source {
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Desired state in Git: follows a ref of a repository and reads a folder of it, without a checkout.
 *
 * Throws `CONFIG_INVALID` or `USERINFO_IN_URL` at once for options that cannot be meant.
 */
export function gitSource(options: GitSourceOptions): GitSource {
  const shared = 'repository' in options
  const repository = shared ? options.repository : gitRepository(options)
  const ref = options.ref ?? 'HEAD'
  const path = pathParts(options.path ?? '').join('/')
  parseRef(ref)
  return {
    id: path === '' ? repository.id : `${repository.id}//${path}`,
    resolve: (call) => repository.resolve(ref, call),
    snapshot: (revision, call) => repository.snapshot(revision, path, call),
    [Symbol.asyncDispose]: async () => (shared ? undefined : repository[Symbol.asyncDispose]()),
  }
}
