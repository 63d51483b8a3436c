import git, { type HttpClient, type ServerRef } from 'isomorphic-git'
import { type Call, abortError, throwIfAborted } from '../../../runtime/call.ts'
import { type ErrorCode, GitOpsError } from '../../../runtime/errors.ts'
import type { Revision, Snapshot, Source, TreeEntry } from '../../source.ts'
import { safeNames } from '../../tree.ts'
import { type ChosenRef, type GitRef, chooseByName, chooseByVersion, nearbyNames, parseRef } from '../refs.ts'
import { memoryFiles } from './memory-files.ts'

/** What a portable source follows, and how it reaches it. */
export interface PortableGitSourceOptions {
  /** `https://host/path`. */
  readonly url: string
  /** The HTTP client: `isomorphic-git/http/web` in a browser, `isomorphic-git/http/node` in Node. */
  readonly http: HttpClient
  /** @defaultValue `HEAD` */
  readonly ref?: GitRef
  /** The folder that is the root of the snapshots. @defaultValue the whole repository */
  readonly path?: string
  /** Headers of every request, such as `Authorization`. */
  readonly headers?: () => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>
  /** A proxy for servers that do not allow requests from web pages. */
  readonly corsProxy?: string
}

/** Commits that are kept in memory. */
const KEPT_COMMITS = 5

/**
 * Desired state in Git wherever JavaScript runs, browsers included, by isomorphic-git alone. It has
 * none of the speed and few of the guards of `gitSource`: history that was rewritten is followed,
 * nothing is stored, and every commit is fetched whole. Use `gitSource` in Node.
 */
export function portableGitSource(options: PortableGitSourceOptions): Source {
  const path = safeNames(options.path ?? '').join('/')
  const query = parseRef(options.ref ?? 'HEAD')
  const kept = new Map<string, Promise<Repository>>()
  const open = (commit: string, call: Call): Promise<Repository> => {
    const known = kept.get(commit)
    if (known !== undefined) return known
    const opening = fetchCommit(options, commit, call)
    kept.set(commit, opening)
    opening.catch(() => kept.delete(commit))
    for (const oldest of [...kept.keys()].slice(0, -KEPT_COMMITS)) kept.delete(oldest)
    return opening
  }
  return {
    id: path === '' ? options.url : `${options.url}//${path}`,
    resolve: async (call) => {
      throwIfAborted(call)
      const chosen =
        query.kind === 'commit' ? { name: query.name, oid: query.digits } : await choose(options, query, call)
      return describe(await open(chosen.oid, call), chosen)
    },
    snapshot: async (revision, call) => {
      throwIfAborted(call)
      const repository = await open(revision.id, call)
      const root = await findEntry(repository, repository.tree, path)
      if (root.type !== 'folder') throw notFound(path, revision)
      return snapshotOf({ ...repository, tree: root.digest }, revision)
    },
  }
}

/** One commit in memory. */
interface Repository {
  readonly place: { readonly fs: ReturnType<typeof memoryFiles>; readonly gitdir: string; readonly cache: object }
  readonly commit: string
  readonly tree: string
}

type Query = Exclude<ReturnType<typeof parseRef>, { kind: 'commit' }>

async function choose(options: PortableGitSourceOptions, query: Query, call: Call): Promise<ChosenRef> {
  const ask = async (prefix?: string): Promise<ServerRef[]> =>
    translated(options, call, async () => {
      const request = {
        http: options.http,
        url: options.url,
        symrefs: true,
        peelTags: true,
        protocolVersion: 2 as const,
      }
      return git.listServerRefs({
        ...request,
        ...(await requestOptions(options)),
        ...(prefix === undefined ? {} : { prefix }),
      })
    })
  const found = (await Promise.all(query.prefixes.map((prefix) => ask(prefix)))).flat().map(toRemoteRef)
  const chosen = query.kind === 'name' ? chooseByName(query, found) : chooseByVersion(query, found)[0]
  if (chosen !== undefined) return chosen
  const all = (await ask()).map(toRemoteRef)
  if (all.length === 0) throw new GitOpsError('SOURCE_EMPTY', `The repository ${options.url} has no commits yet.`)
  const nearby = nearbyNames(query.name, all)
  const text = `${query.name} is not in ${options.url}. There are: ${nearby.join(', ')}.`
  throw new GitOpsError('REVISION_NOT_FOUND', text, { details: { nearby } })
}

function toRemoteRef({ ref, oid, peeled }: ServerRef): { name: string; oid: string; peeled?: string } {
  return { name: ref, oid, ...(peeled === undefined ? {} : { peeled }) }
}

/** Each commit goes into a repository of its own, so that one that came broken spoils no other. */
async function fetchCommit(options: PortableGitSourceOptions, commit: string, call: Call): Promise<Repository> {
  const place = { fs: memoryFiles(), gitdir: '/git', cache: {} }
  await translated(options, call, async () => {
    await git.init({ fs: place.fs, gitdir: place.gitdir, bare: true })
    await git.addRemote({ fs: place.fs, gitdir: place.gitdir, remote: 'origin', url: options.url })
    const scope = { ref: commit, singleBranch: true, tags: false, depth: 1 }
    await git.fetch({ ...place, http: options.http, url: options.url, ...scope, ...(await requestOptions(options)) })
  })
  return checked(async () => {
    const { commit: read } = await git.readCommit({ ...place, oid: commit }).catch((cause: unknown) => {
      throw notSent(commit, cause)
    })
    const repository = { place, commit, tree: read.tree }
    await checkTrees(repository, read.tree, call)
    return repository
  })
}

async function requestOptions(
  options: PortableGitSourceOptions,
): Promise<{ headers: Record<string, string>; corsProxy?: string }> {
  return {
    headers: { ...(await options.headers?.()) },
    ...(options.corsProxy === undefined ? {} : { corsProxy: options.corsProxy }),
  }
}

/** isomorphic-git does not tell a server that refused from one that broke off: either way the commit did not come. */
function notSent(commit: string, cause: unknown): GitOpsError {
  return new GitOpsError('REVISION_NOT_FOUND', `The server did not send the commit ${commit}.`, {
    cause,
    retryable: true,
  })
}

/** isomorphic-git takes a pack that was cut off: every folder is read before the commit is believed. */
async function checkTrees({ place }: Pick<Repository, 'place'>, oid: string, call: Call): Promise<void> {
  throwIfAborted(call)
  const { tree } = await git.readTree({ ...place, oid })
  for (const entry of tree) if (entry.type === 'tree') await checkTrees({ place }, entry.oid, call)
}

async function describe({ place, commit }: Repository, chosen: Pick<ChosenRef, 'name'>): Promise<Revision> {
  const { commit: read } = await checked(() => git.readCommit({ ...place, oid: commit }))
  const { author, committer, message } = read
  const at = committer.timestamp * 1000
  const who = `${author.name} <${author.email}>`
  return { id: commit, name: chosen.name, at, author: who, message: message.split('\n', 1)[0] ?? '' }
}

function snapshotOf(repository: Repository, revision: Revision): Snapshot {
  const find = (path: string): Promise<TreeEntry> => findEntry(repository, repository.tree, path)
  return {
    revision,
    digest: async (path, call) => {
      throwIfAborted(call)
      return (await find(path)).digest
    },
    list: async function* (path, call) {
      const folder = await find(path)
      if (folder.type !== 'folder') throw notFound(path, revision)
      const prefix = path === '' ? '' : `${path}/`
      for (const entry of await readFolder(repository, folder.digest)) {
        throwIfAborted(call)
        yield { ...entry, path: prefix + entry.path }
      }
    },
    read: async (path, call) => {
      throwIfAborted(call)
      const { type, digest } = await find(path)
      if (type === 'folder') throw notFound(path, revision)
      if (type === 'symlink') throw new GitOpsError('SOURCE_SYMLINK', `${path} is a link, which is not followed.`)
      if (type === 'submodule')
        throw new GitOpsError('SOURCE_SUBMODULE', `${path} is a submodule, which is not followed.`)
      return (await checked(() => git.readBlob({ ...repository.place, oid: digest }))).blob
    },
  }
}

async function findEntry(repository: Repository, root: string, path: string): Promise<TreeEntry> {
  let found: TreeEntry = { path: '', type: 'folder', digest: root }
  for (const name of safeNames(path)) {
    const entries: readonly TreeEntry[] = found.type === 'folder' ? await readFolder(repository, found.digest) : []
    const next = entries.find((entry) => entry.path === name)
    if (next === undefined) throw notFound(path, { id: repository.commit })
    found = next
  }
  return found
}

async function readFolder({ place }: Repository, oid: string): Promise<readonly TreeEntry[]> {
  const { tree } = await checked(() => git.readTree({ ...place, oid }))
  const entries = tree.map((entry) => ({ path: entry.path, type: typeOf(entry.mode), digest: entry.oid }))
  return entries.toSorted((left, right) => (left.path < right.path ? -1 : 1))
}

function typeOf(mode: string): TreeEntry['type'] {
  if (mode.endsWith('40000')) return 'folder'
  if (mode === '120000') return 'symlink'
  return mode === '160000' ? 'submodule' : 'file'
}

function notFound(path: string, revision: Pick<Revision, 'id' | 'name'>): GitOpsError {
  return new GitOpsError(
    'PATH_NOT_FOUND',
    `${path} at ${revision.name ?? revision.id} is not there, or is not of that kind.`,
  )
}

/** What cannot be read after it was fetched came damaged. */
async function checked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof GitOpsError) throw cause
    throw new GitOpsError('SOURCE_CORRUPT', 'What the server sent cannot be read.', { cause })
  }
}

async function translated<T>(options: PortableGitSourceOptions, call: Call, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work()
    throwIfAborted(call)
    return result
  } catch (cause) {
    if (cause instanceof GitOpsError) throw cause
    if (call.signal.aborted) throw abortError(call.signal)
    throw new GitOpsError(codeOf(cause), `${options.url} could not be read.`, { cause })
  }
}

/** Errors of isomorphic-git carry a code; what carries none comes from the HTTP client. */
function codeOf(cause: unknown): ErrorCode {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'NotFoundError') return 'REVISION_NOT_FOUND'
  if (cause instanceof git.Errors.HttpError) {
    const { statusCode } = cause.data
    if (statusCode === 401 || statusCode === 403) return 'SOURCE_AUTH'
    return statusCode === 404 ? 'SOURCE_NOT_FOUND' : 'SOURCE_UNREACHABLE'
  }
  return cause instanceof Error && 'caller' in cause ? 'SOURCE_PROTOCOL' : 'SOURCE_UNREACHABLE'
}
