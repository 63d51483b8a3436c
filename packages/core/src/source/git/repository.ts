import { Agent as HttpsAgent } from 'node:https'
import { Agent as HttpAgent } from 'node:http'
import { type Call } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Revision, Snapshot } from '../source.ts'
import { parseCommit } from './commit.ts'
import { type GitLimits, defaultLimits } from './limits.ts'
import { decodePack } from './pack/decode.ts'
import {
  type ChosenRef,
  type GitRef,
  type RefQuery,
  chooseByName,
  chooseByVersion,
  nearbyNames,
  parseRef,
} from './refs.ts'
import { type Remote, createRemote } from './remote.ts'
import { notFound, pathParts, treeSnapshot } from './snapshot.ts'
import { type ObjectStore, createObjectStore } from './store/object-store.ts'
import { parseAddress } from './transport/address.ts'
import type { CredentialsProvider } from './transport/credentials.ts'
import { httpTransport } from './transport/http.ts'
import { type GitTimeouts, defaultTimeouts } from './transport/transport.ts'

/** How a repository is reached and read. */
export interface GitRepositoryOptions {
  /** `https://host/path`. Credentials in it are refused. */
  readonly url: string
  readonly credentials?: CredentialsProvider
  readonly limits?: Partial<GitLimits>
  readonly timeouts?: Partial<GitTimeouts>
  /** Send credentials without encryption to hosts other than this machine. @defaultValue false */
  readonly allowPlainHttp?: boolean
  /** The version of the protocol to ask for. @defaultValue 2 */
  readonly protocol?: 0 | 1 | 2
}

/** One repository on a server. Sources that read the same one share it, and with it polls, fetches and memory. */
export interface GitRepository extends AsyncDisposable {
  /** The address. */
  readonly id: string
  /** The commit that `ref` leads to now, fetched and checked. */
  resolve(ref: GitRef, call: Call): Promise<Revision>
  /** The tree of `revision` below `path`. */
  snapshot(revision: Revision, path: string, call: Call): Promise<Snapshot>
}

/** Opens nothing until it is asked. Throws `CONFIG_INVALID` or `USERINFO_IN_URL` for options that cannot be meant. */
export function gitRepository(options: GitRepositoryOptions): GitRepository {
  const limits = { ...defaultLimits, ...options.limits }
  const address = parseAddress(options.url)
  if (address.kind !== 'http') throw new GitOpsError('UNSUPPORTED', 'SSH is not supported yet.')
  const transport = httpTransport(address, {
    agent: address.url.protocol === 'https:' ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true }),
    timeouts: { ...defaultTimeouts, ...options.timeouts },
    limits,
    allowPlainHttp: options.allowPlainHttp === true,
    protocol: options.protocol ?? 2,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  })
  const remote = createRemote(transport, limits)
  const store = createObjectStore(limits)
  return {
    id: address.id,
    resolve: async (ref, call) => {
      const chosen = await choose(remote, parseRef(ref), address.id, call)
      await ensureCommit(remote, store, limits, chosen.oid, call)
      return revisionOf(store, chosen)
    },
    snapshot: async (revision, path, call) => {
      await ensureCommit(remote, store, limits, revision.id, call)
      return snapshotBelow(store, revision, path)
    },
    [Symbol.asyncDispose]: () => remote[Symbol.asyncDispose](),
  }
}

async function choose(remote: Remote, query: RefQuery, id: string, call: Call): Promise<ChosenRef> {
  if (query.kind === 'commit') return { ref: query.digits, name: query.name, oid: query.digits }
  const refs = await remote.refs(query.prefixes, call)
  const chosen = query.kind === 'name' ? chooseByName(query, refs) : chooseByVersion(query, refs)[0]
  if (chosen !== undefined) return chosen
  throw await notThere(remote, query, id, call)
}

async function notThere(remote: Remote, query: RefQuery, id: string, call: Call): Promise<GitOpsError> {
  const all = (await remote.refs([], call)).filter(({ oid }) => oid !== undefined)
  if (all.length === 0) return new GitOpsError('SOURCE_EMPTY', `The repository ${id} has no commits yet.`)
  const nearby = nearbyNames(query.name, all)
  return new GitOpsError('REVISION_NOT_FOUND', `${query.name} is not in ${id}. There are: ${nearby.join(', ')}.`, {
    details: { nearby },
  })
}

async function ensureCommit(
  remote: Remote,
  store: ObjectStore,
  limits: GitLimits,
  oid: string,
  call: Call,
): Promise<void> {
  if (store.has(oid)) return
  const request = { wants: [oid], haves: [], shallow: [], depth: 1 }
  const context = { limits, cache: store.cache, readBase: (base: string) => store.read(base) }
  const pack = await remote.fetch(request, (answer) => decodePack(answer.pack, context, call), call)
  store.add(pack)
}

function revisionOf(store: ObjectStore, chosen: ChosenRef): Revision {
  const commit = parseCommit(store.expect(chosen.oid, 'commit'))
  return {
    id: chosen.oid,
    name: chosen.name,
    at: commit.committedAt,
    author: commit.author,
    message: commit.message.split('\n', 1)[0] ?? '',
  }
}

function snapshotBelow(store: ObjectStore, revision: Revision, path: string): Snapshot {
  let rootOid = parseCommit(store.expect(revision.id, 'commit')).tree
  const root = { store, revision, rootOid, rootPath: '' }
  for (const part of pathParts(path)) {
    const entry = store.tree(rootOid).get(part)
    if (entry?.type !== 'folder') throw notFound(root, path)
    rootOid = entry.oid
  }
  return treeSnapshot({ ...root, rootOid, rootPath: path })
}
