import { type Call, GitOpsError, type Revision, type Source, memorySource } from '@gitops-sdk/core'

/** What the configuration service answers to `GET /documents`: text by path. Each version has an `ETag`. */
export type Documents = Readonly<Record<string, string>>

/** How many versions are kept to be read again: for rollbacks and for telling drift from new declarations. */
const KEPT = 10

/**
 * Desired state from a configuration service over HTTP. Polls with `If-None-Match`, so that a service where nothing
 * changed answers 304 without a body.
 */
export function httpSource(url: string): Source {
  const versions = new Map<string, Documents>()
  let newest: string | undefined

  const resolve = async (call: Call): Promise<Revision> => {
    const answer = await request(url, newest, call)
    if (answer === 'unchanged' && newest !== undefined) return { id: newest }
    if (answer === 'unchanged') throw protocolError(url, 'said "unchanged" to a first question')
    newest = answer.version
    versions.set(answer.version, answer.documents)
    const [oldest] = versions.keys()
    if (versions.size > KEPT && oldest !== undefined) versions.delete(oldest)
    return { id: answer.version }
  }
  return {
    id: url,
    resolve,
    async snapshot(revision, call) {
      const documents = versions.get(revision.id)
      if (documents === undefined) throw new GitOpsError('REVISION_NOT_FOUND', `${url} no longer has ${revision.id}.`)
      // A tree with digests is what a memory source makes of files; only the revision is ours.
      const files = memorySource({ files: documents })
      const snapshot = await files.snapshot(await files.resolve(call), call)
      return { ...snapshot, revision }
    },
  }
}

interface Answer {
  readonly version: string
  readonly documents: Documents
}

async function request(url: string, known: string | undefined, call: Call): Promise<Answer | 'unchanged'> {
  const response = await ask(url, known, call)
  if (response.status === 304) return 'unchanged'
  if (response.status === 429) throw new GitOpsError('SOURCE_THROTTLED', `${url} asks to be polled less often.`)
  if (response.status === 401 || response.status === 403) throw new GitOpsError('SOURCE_AUTH', `${url} refuses us.`)
  if (!response.ok) throw new GitOpsError('SOURCE_UNREACHABLE', `${url} answered ${response.status}.`)
  const version = response.headers.get('etag')
  if (version === null) throw protocolError(url, 'names no version: the ETag is missing')
  return { version, documents: await parse(url, response) }
}

async function ask(url: string, known: string | undefined, { signal }: Call): Promise<Response> {
  if (signal.aborted) throw cancelled(signal)
  try {
    return await fetch(url, { signal, headers: known === undefined ? {} : { 'if-none-match': known } })
  } catch (cause) {
    if (signal.aborted) throw cancelled(signal)
    throw new GitOpsError('SOURCE_UNREACHABLE', `${url} cannot be reached.`, { cause })
  }
}

async function parse(url: string, response: Response): Promise<Documents> {
  const value: unknown = await response.json().catch(() => undefined)
  if (isDocuments(value)) return value
  throw protocolError(url, 'did not answer with text by path')
}

function isDocuments(value: unknown): value is Documents {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string')
}

function protocolError(url: string, what: string): GitOpsError {
  return new GitOpsError('SOURCE_PROTOCOL', `${url} ${what}.`)
}

function cancelled(signal: AbortSignal): GitOpsError {
  return new GitOpsError('CANCELLED', 'The question was given up by its caller.', { cause: signal.reason })
}
