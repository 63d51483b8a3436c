import { GitOpsError } from '../errors.ts'
import { classifyAddress, isInRange, parseAddressBytes } from './address.ts'

/** Which places outgoing connections may go to. */
export interface DestinationOptions {
  /**
   * Host names, addresses and CIDR ranges that are reached although they are not public. Names are
   * compared exactly, without case.
   *
   * @defaultValue none
   */
  readonly allow?: readonly string[]
}

/** One address of a host name. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

/** Asks for every address of a host name, as `dns.lookup` of Node does with `all: true`. */
export type LookupAll = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: Error | null, addresses: readonly ResolvedAddress[]) => void,
) => void

/** The `lookup` option of `net.connect`, `tls.connect` and `http.request`. */
export type GuardedLookup = (
  hostname: string,
  options: { readonly all?: boolean | undefined; readonly family?: number | string | undefined },
  callback: (error: Error | null, address: string | ResolvedAddress[], family?: number) => void,
) => void

/** Refuses connections to places that only this network can reach. */
export interface DestinationGuard {
  /**
   * Throws `DESTINATION_DENIED` for a host that is refused by what it is called: a literal address,
   * `localhost`. A literal never reaches `lookup`, so this is called before every connection.
   */
  assertHost(hostname: string): void
  /**
   * Resolves a name and gives the caller only addresses that were judged, so that the connection is
   * made to exactly what was checked. One refused address refuses the name.
   */
  readonly lookup: GuardedLookup
}

/** A guard over `resolve`, which is `dns.lookup` in Node. */
export function destinationGuard(resolve: LookupAll, options: DestinationOptions = {}): DestinationGuard {
  const allowed = new Set((options.allow ?? []).map(plainHost))
  const ranges = [...allowed].filter((rule) => rule.includes('/'))
  const judge = (hostname: string, address: string): void => {
    const kind = classifyAddress(address)
    const bytes = parseAddressBytes(address)
    const isAllowed = bytes !== undefined && (allowed.has(address) || ranges.some((range) => isInRange(bytes, range)))
    if (kind !== 'public' && !isAllowed) throw denied(hostname, kind)
  }
  const assertHost = (hostname: string): void => {
    const host = plainHost(hostname)
    if (allowed.has(host)) return
    if (isLocalName(host)) throw denied(hostname, 'loopback')
    if (host.includes(':') || /^[\d.]+$|^0x/.test(host)) judge(hostname, host)
  }
  const judgeAll = (hostname: string, addresses: readonly ResolvedAddress[]): void => {
    assertHost(hostname)
    if (allowed.has(plainHost(hostname))) return
    for (const { address } of addresses) judge(hostname, address)
  }
  return { assertHost, lookup: guardedLookup(resolve, judgeAll) }
}

function guardedLookup(
  resolve: LookupAll,
  judgeAll: (hostname: string, addresses: readonly ResolvedAddress[]) => void,
): GuardedLookup {
  return (hostname, options, callback) =>
    resolve(hostname, { all: true }, (error, found) => {
      const wanted = found?.filter(({ family }) => !options.family || family === familyOf(options.family))
      const problem = error ?? problemOf(() => judgeAll(hostname, found)) ?? (wanted[0] ? null : nothingFound(hostname))
      if (problem !== null) return callback(problem, '')
      if (options.all === true) return callback(null, [...wanted])
      callback(null, wanted[0]?.address ?? '', wanted[0]?.family)
    })
}

function familyOf(family: number | string): number {
  return family === 'IPv6' ? 6 : family === 'IPv4' ? 4 : Number(family)
}

function problemOf(judge: () => void): Error | null {
  try {
    judge()
    return null
  } catch (error) {
    return error instanceof Error
      ? error
      : new GitOpsError('INTERNAL', 'An address could not be judged.', { cause: error })
  }
}

/** Lower case, without the brackets of a URL and the dot of a fully qualified name. */
function plainHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}

function isLocalName(host: string): boolean {
  return host === '' || host === 'localhost' || host.endsWith('.localhost')
}

function denied(hostname: string, kind: string): GitOpsError {
  const message = `Connections to ${JSON.stringify(hostname.slice(0, 253))} are refused: the address is ${kind}. Add it to \`allow\` if it is meant.`
  return new GitOpsError('DESTINATION_DENIED', message, { details: { host: hostname.slice(0, 253), kind } })
}

function nothingFound(hostname: string): GitOpsError {
  return new GitOpsError(
    'SOURCE_UNREACHABLE',
    `The name ${JSON.stringify(hostname)} has no address of the wanted family.`,
  )
}
