import type { Call } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Revision, Snapshot, SourceWriter } from '../source.ts'
import type { RevisionVerifier } from '../verify/signatures.ts'
import { createByteCache } from './byte-cache.ts'
import type { CheckedTrees } from './completeness.ts'
import { createDownloads } from './download.ts'
import { type FollowedRef, followRef } from './follow.ts'
import { descentOf } from './history.ts'
import { createKeptCommits } from './kept-commits.ts'
import { createKeptObjects } from './kept-objects.ts'
import { type GitLimits, completeLimits } from './limits.ts'
import { checkRepositoryOptions } from './options.ts'
import { type SnapshotView, openSnapshot } from './open-snapshot.ts'
import { createPoller } from './poll.ts'
import type { DecodedPack } from './pack/decode.ts'
import type { ChosenRef, GitRef } from './refs.ts'
import { assertRefName } from './ref-name.ts'
import { type Remote, createRemote } from './remote.ts'
import { type GitRetry, createGate, defaultRetry } from './retry.ts'
import type { RewritePolicy } from './rewrites.ts'
import { type ObjectStore, createObjectStore } from './store/object-store.ts'
import { diskFiles } from './store/folder-files.ts'
import { type RepositoryFolder, repositoryFolder } from './store/repository-folder.ts'
import { type Address, parseAddress } from './transport/address.ts'
import { type GitNetwork, createAgent } from './transport/agent.ts'
import type { CredentialsProvider } from './transport/credentials.ts'
import type { RefUpdate } from './protocol/push.ts'
import { type GitWriterOptions, gitWriter } from './write/writer.ts'
import { httpTransport } from './transport/http.ts'
import { type GitSsh, sshTransport } from './transport/ssh.ts'
import { type GitTimeouts, type Transport, defaultTimeouts } from './transport/transport.ts'

/** How a repository is reached, read and kept. */
export interface GitRepositoryOptions {
  /** `https://host/path`, `ssh://user@host/path` or `user@host:path`. Credentials in it are refused. */
  readonly url: string
  /** Asked before every request. @defaultValue no credentials */
  readonly credentials?: CredentialsProvider
  /**
   * Where objects are kept. A folder survives a restart, can be shared by several processes, and takes memory for its
   * index and `limits.cacheBytes` only. @defaultValue `memory`
   */
  readonly storage?: 'memory' | { readonly folder: string }
  /**
   * Fetch the contents of files when a snapshot below their folder is taken, instead of all of them
   * with every commit. Worth it where sources read a small part of a large repository. A server that
   * cannot leave files out sends them all. @defaultValue false
   */
  readonly partial?: boolean
  /** Commits that stay readable without the server, for a rollback. @defaultValue 20 */
  readonly keepRevisions?: number
  /** An answer to a poll that is younger than this serves other sources too, in milliseconds. @defaultValue 0 */
  readonly shareMs?: number
  /** @defaultValue those of `GitLimits` */
  readonly limits?: Partial<GitLimits>
  /** @defaultValue those of `GitTimeouts` */
  readonly timeouts?: Partial<GitTimeouts>
  /** @defaultValue those of `GitRetry` */
  readonly retry?: Partial<GitRetry>
  /** Proxies, certificates, and where requests may go. @defaultValue the public certificates, no proxy */
  readonly network?: GitNetwork
  /** How `ssh` is used. Required for an address of SSH. */
  readonly ssh?: GitSsh
  /** Send credentials without encryption to hosts other than this machine. @defaultValue false */
  readonly allowPlainHttp?: boolean
  /** The version of the protocol to ask for. A server that speaks an older one is understood. @defaultValue 2 */
  readonly protocol?: 0 | 1 | 2
}

/** One repository on a server. Sources that read the same one share it, and with it polls, fetches and memory. */
export interface GitRepository {
  /** The address. */
  readonly id: string
  /** Follows a ref of the repository. */
  follow(ref: GitRef, policy: RewritePolicy, verify?: RevisionVerifier): FollowedRef
  /** The tree of `revision` below `path`; fetched when it is not kept. Throws `PATH_NOT_FOUND`. */
  snapshot(revision: Revision, view: SnapshotView, call: Call): Promise<Snapshot>
  /** Commits on a branch, in paths below `view.path`. What `admit` rejects is not built on. */
  writer(branch: string, view: SnapshotView, options: GitWriterOptions, admit?: FollowedRef['admit']): SourceWriter
  /** Closes the connections. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens nothing until it is asked. Throws `CONFIG_INVALID` or `USERINFO_IN_URL` for options that cannot be meant, and
 * `DESTINATION_DENIED` for an address that `network.destinations` refuses.
 */
export function gitRepository(options: GitRepositoryOptions): GitRepository {
  checkRepositoryOptions(options)
  return openRepository(options)
}

/** `gitRepository` for options that were checked. */
export function openRepository(options: GitRepositoryOptions): GitRepository {
  const limits = completeLimits(options.limits)
  const address = parseAddress(options.url)
  const remote = guarded(createRemote(openTransport(address, options, limits), limits), {
    ...defaultRetry,
    ...options.retry,
  })
  const { store, folder } = openStorage(options, limits)
  const kept = createKeptCommits(options.keepRevisions ?? 20)
  const checked: CheckedTrees = new Set()
  const inForce = new Map<string, ChosenRef>()
  const partial = options.partial === true
  const objects = createKeptObjects({
    store,
    kept,
    checked,
    inForce,
    limits,
    partial,
    ...(folder === undefined ? {} : { folder }),
  })
  const downloads = createDownloads({
    remote,
    store,
    limits,
    partial,
    kept,
    checked,
    lookAround: (call: Call) => objects.lookAround(call),
    onPack: (pack: DecodedPack, call: Call) => objects.added(pack, call),
  })
  const poller = createPoller(remote, options.shareMs ?? 0)
  const following = {
    id: address.id,
    poller,
    store,
    downloads,
    inForce,
    onChange: (call: Call) => objects.saveState(call),
  }
  const snapshot = (revision: Revision, view: SnapshotView, call: Call): Promise<Snapshot> =>
    openSnapshot({ store, objects, downloads, partial }, revision, view, call)
  return {
    id: address.id,
    follow: (ref, policy, verify) => {
      const followed = followRef(following, ref, policy, verify)
      return {
        accept: (commit) => followed.accept(commit),
        admit: async (revision, call) =>
          verify === undefined ? undefined : objects.whole(call, () => followed.admit(revision, call)),
        resolve: (call) => objects.whole(call, () => followed.resolve(call)),
      }
    },
    snapshot,
    writer: (branch, view, writing, admit) => {
      assertRefName(branch)
      const ref = branch.startsWith('refs/') ? branch : `refs/heads/${branch}`
      const head = async (revision: Revision, call: Call): Promise<Snapshot> => {
        await admit?.(revision, call)
        return snapshot(revision, view, call)
      }
      const builtOn = async ({ from, to }: RefUpdate, commit: string, call: Call): Promise<boolean> => {
        await downloads.commit(commit, call)
        return (await descentOf(commit, to, { store, downloads }, call, from)) === 'descends'
      }
      const writer = gitWriter({ remote, store, ref, path: view.path, options: writing, snapshot: head, builtOn })
      return { commit: (edit, call) => objects.whole(call, () => writer.commit(edit, call)) }
    },
    [Symbol.asyncDispose]: async () => {
      await objects[Symbol.asyncDispose]()
      await remote[Symbol.asyncDispose]()
    },
  }
}

/** Packs in a folder leave an eighth of the room to pieces of their files. */
function openStorage(
  { storage }: GitRepositoryOptions,
  limits: GitLimits,
): { readonly store: ObjectStore; readonly folder?: RepositoryFolder } {
  if (typeof storage !== 'object') return { store: createObjectStore(limits) }
  const windowBytes = limits.cacheBytes / 8
  const windows = createByteCache<Buffer>(windowBytes)
  return {
    store: createObjectStore({ ...limits, cacheBytes: limits.cacheBytes - windowBytes }),
    folder: repositoryFolder(storage.folder, { files: diskFiles, windows }),
  }
}

function openTransport(address: Address, options: GitRepositoryOptions, limits: GitLimits): Transport {
  const timeouts = { ...defaultTimeouts, ...options.timeouts }
  const protocol = options.protocol ?? 2
  if (address.kind === 'ssh') {
    if (options.ssh === undefined)
      throw new GitOpsError('CONFIG_INVALID', `${address.id} is reached over SSH: set \`ssh.knownHostsFile\`.`)
    if (options.network?.destinations !== undefined)
      throw new GitOpsError('CONFIG_INVALID', 'ssh looks names up itself, where `network.destinations` sees nothing.')
    return sshTransport(address, { ssh: options.ssh, timeouts, maxBytes: limits.maxPackBytes, protocol })
  }
  return httpTransport(address, {
    agent: createAgent(address.url, options.network ?? {}),
    timeouts,
    limits,
    allowPlainHttp: options.allowPlainHttp === true,
    protocol,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  })
}

/** The same remote with patience: what may pass is tried again, and a server's wish to be left alone is obeyed. */
function guarded(remote: Remote, retry: GitRetry): Remote {
  const gate = createGate(retry)
  return {
    refs: (prefixes, call) => gate.pass(call, () => remote.refs(prefixes, call)),
    fetch: (request, use, call) => gate.pass(call, () => remote.fetch(request, use, call)),
    canFilter: (call) => gate.pass(call, () => remote.canFilter(call)),
    givesAnyCommit: (call) => gate.pass(call, () => remote.givesAnyCommit(call)),
    refsForWriting: (call) => gate.pass(call, () => remote.refsForWriting(call)),
    push: (update, pack, call) => remote.push(update, pack, call),
    [Symbol.asyncDispose]: () => remote[Symbol.asyncDispose](),
  }
}
