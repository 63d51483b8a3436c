/** What kind of place an IP address is. Only `public` ones are reached without being allowed by name. */
export type AddressClass =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'multicast'
  | 'reserved'
  | 'invalid'

/** An IP address as bytes: 4 or 16 of them. */
export type AddressBytes = readonly number[]

type Range = readonly [cidr: string, kind: AddressClass]

/** IANA special-purpose registry, IPv4 (RFC 6890 and its successors). First match counts. */
const ranges4: readonly Range[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'reserved'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'reserved'],
  ['198.51.100.0/24', 'reserved'],
  ['203.0.113.0/24', 'reserved'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
]

/** The same for IPv6. What is not global unicast (2000::/3) is reserved, whatever it will become. */
const ranges6: readonly Range[] = [
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'private'],
  ['ff00::/8', 'multicast'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'reserved'],
  ['3fff::/20', 'reserved'],
  ['2000::/3', 'public'],
  ['::/0', 'reserved'],
]

/** IPv6 ranges that lead to an IPv4 address, and the byte at which it stands (RFC 4291, 6052, 3056). */
const embedded4: readonly (readonly [cidr: string, at: number])[] = [
  ['::ffff:0:0/96', 12],
  ['64:ff9b::/96', 12],
  ['2002::/16', 2],
]

/**
 * Classifies an IP address in its usual notation. Anything else (a name, `2130706433`, `0177.0.0.1`,
 * `127.1`) is `invalid`: such notations are read differently by different programs.
 */
export function classifyAddress(text: string): AddressClass {
  const bytes = parseAddressBytes(text)
  return bytes === undefined ? 'invalid' : classifyBytes(bytes)
}

function classifyBytes(bytes: AddressBytes): AddressClass {
  if (bytes.length === 4) return classIn(bytes, ranges4) ?? 'public'
  const embedded = embedded4.find(([cidr]) => isInRange(bytes, cidr))
  if (embedded !== undefined) return classifyBytes(bytes.slice(embedded[1], embedded[1] + 4))
  return classIn(bytes, ranges6) ?? 'reserved'
}

function classIn(bytes: AddressBytes, ranges: readonly Range[]): AddressClass | undefined {
  return ranges.find(([cidr]) => isInRange(bytes, cidr))?.[1]
}

/** Whether the address is in `cidr` (`10.0.0.0/8`); `false` when `cidr` is of the other family or not one. */
export function isInRange(bytes: AddressBytes, cidr: string): boolean {
  const [base = '', size = ''] = cidr.split('/')
  const start = parseAddressBytes(base)
  if (start === undefined || start.length !== bytes.length || !/^\d{1,3}$/.test(size)) return false
  return start.every((byte, index) => {
    const mask = 0xff & ~(0xff >> Math.min(8, Math.max(0, Number(size) - index * 8)))
    return (byte & mask) === ((bytes[index] ?? 0) & mask)
  })
}

/** The bytes of an address; `undefined` for what is not exactly one. A zone (`%eth0`) is not part of an address. */
export function parseAddressBytes(text: string): AddressBytes | undefined {
  return text.includes(':') ? parse6(text) : parse4(text)
}

function parse4(text: string): AddressBytes | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

function parse6(text: string): AddressBytes | undefined {
  if (text.length > 45) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0] ?? '', halves.length === 1)
  const tail = groups(halves[1] ?? '', true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 1) return missing === 0 ? head : undefined
  return missing >= 2 ? [...head, ...Array.from({ length: missing }, () => 0), ...tail] : undefined
}

/** The bytes of groups of four digits; the last may be an IPv4 address where the text ends with it. */
function groups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const bytes: number[] = []
  for (const [index, part] of parts.entries()) {
    const tail = isEnd && index === parts.length - 1 && part.includes('.') ? parse4(part) : undefined
    if (tail !== undefined) bytes.push(...tail)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) bytes.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff)
    else return undefined
  }
  return bytes
}
