import { GitOpsError } from '../../../runtime/errors.ts'

/** Where a repository is, taken apart and safe to print. */
export type Address = HttpAddress | SshAddress

export interface HttpAddress {
  readonly kind: 'http'
  /** Without credentials, query, fragment and trailing slash. */
  readonly url: URL
  /** The same as text. */
  readonly id: string
}

export interface SshAddress {
  readonly kind: 'ssh'
  readonly user?: string
  readonly host: string
  readonly port?: number
  readonly path: string
  readonly id: string
}

const scpLike = /^(?:([A-Za-z0-9][\w.-]*)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)(.+)$/

/**
 * Reads `https://host/path`, `http://…`, `ssh://user@host:port/path` or `user@host:path`. Throws
 * `USERINFO_IN_URL` for credentials in the address, without repeating them, and `CONFIG_INVALID`
 * for everything else that is not an address of a server.
 */
export function parseAddress(text: string): Address {
  const scp = text.includes('://') ? null : scpLike.exec(text)
  if (scp !== null) return sshAddress(scp[1], scp[2] ?? '', undefined, scp[3] ?? '')
  const url = parseUrl(text)
  if (url.protocol === 'ssh:') return fromSshUrl(url)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid(`The protocol ${url.protocol} is not supported; use https or ssh.`)
  return fromHttpUrl(url)
}

function parseUrl(text: string): URL {
  if (/^[a-z][a-z0-9+.-]*::/i.test(text)) throw invalid('Remote helpers (`name::address`) are not supported.')
  if (!URL.canParse(text)) throw invalid('The URL of the repository cannot be read; write https://host/path.')
  return new URL(text)
}

function fromHttpUrl(url: URL): HttpAddress {
  if (url.username !== '' || url.password !== '')
    throw new GitOpsError(
      'USERINFO_IN_URL',
      `The URL of the repository at ${url.host} holds credentials. Give them through \`credentials\` instead.`,
    )
  if (url.search !== '' || url.hash !== '') throw invalid(`The URL of the repository at ${url.host} has a query.`)
  const plain = new URL(url)
  plain.pathname = url.pathname.replace(/\/+$/, '')
  return { kind: 'http', url: plain, id: plain.href.replace(/\/$/, '') }
}

function fromSshUrl(url: URL): SshAddress {
  if (url.password !== '')
    throw new GitOpsError(
      'USERINFO_IN_URL',
      `The URL of the repository at ${url.hostname} holds a password. Use a key instead.`,
    )
  const port = url.port === '' ? undefined : Number(url.port)
  return sshAddress(
    url.username === '' ? undefined : url.username,
    url.hostname,
    port,
    decodeURIComponent(url.pathname),
  )
}

function sshAddress(user: string | undefined, host: string, port: number | undefined, path: string): SshAddress {
  for (const part of [user ?? '', host, path])
    if (part.startsWith('-') || /[\p{Cc}]/u.test(part))
      throw invalid('The SSH address holds a part that looks like an option.')
  if (host === '' || path === '' || path === '/') throw invalid('The SSH address needs a host and a path.')
  const who = user === undefined ? '' : `${user}@`
  const id = `ssh://${who}${host}${port === undefined ? '' : `:${port}`}/${path.replace(/^\//, '')}`
  return {
    kind: 'ssh',
    host,
    path,
    id,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
  }
}

function invalid(message: string): GitOpsError {
  return new GitOpsError('CONFIG_INVALID', message)
}
