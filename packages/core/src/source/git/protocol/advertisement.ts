import { GitOpsError } from '../../../runtime/errors.ts'
import { type GitLimits, limitError } from '../limits.ts'
import { isOid } from '../objects.ts'
import { type Packet, packetText, protocolError, throwOnServerError } from './pkt-line.ts'

/** What a server says first: its protocol and abilities, and in the old protocol its refs. */
export interface Advertisement {
  readonly version: 1 | 2
  /** Ability by name; the value after `=`, or the empty string. */
  readonly capabilities: ReadonlyMap<string, string>
  /** All refs, which only the old protocol sends at once. */
  readonly refs: readonly RemoteRef[]
  /** Commits whose parents the server does not have, which only the old protocol says at once. */
  readonly shallow: readonly string[]
}

/** One ref of a server. */
export interface RemoteRef {
  /** `refs/heads/main`, `HEAD`. */
  readonly name: string
  /** What it points to: a commit, or an annotated tag. Absent for the branch of an empty repository. */
  readonly oid?: string
  /** The commit behind an annotated tag. */
  readonly peeled?: string
  /** The ref that a symbolic ref stands for. */
  readonly target?: string
}

/** Reads the advertisement; `smart HTTP` puts a `# service` packet before it. */
export async function readAdvertisement(packets: AsyncIterable<Packet>, limits: GitLimits): Promise<Advertisement> {
  const lines: string[] = []
  let afterService = false
  for await (const one of packets) {
    if (one.kind !== 'data') {
      if (!afterService) return parseAdvertisement(lines)
      afterService = false
      continue
    }
    const text = packetText(one.data)
    throwOnServerError(text)
    if (text.startsWith('# service=')) afterService = true
    else lines.push(text)
    if (lines.length > limits.maxRefs + 2) throw limitError('maxRefs', limits, 'The list of refs of the server')
  }
  throw protocolError('The server ended its greeting too early.')
}

function parseAdvertisement(lines: readonly string[]): Advertisement {
  const advertisement = lines[0] === 'version 2' ? parseVersion2(lines.slice(1)) : parseVersion1(lines)
  const format = advertisement.capabilities.get('object-format') ?? 'sha1'
  if (format !== 'sha1')
    throw new GitOpsError('UNSUPPORTED', `The repository names its objects by ${format}; only sha1 is supported.`)
  return advertisement
}

function parseVersion2(lines: readonly string[]): Advertisement {
  return { version: 2, capabilities: parseCapabilities(lines), refs: [], shallow: [] }
}

function parseVersion1(lines: readonly string[]): Advertisement {
  const rest = lines[0] === 'version 1' ? lines.slice(1) : lines
  if (rest.length === 0) return { version: 1, capabilities: new Map(), refs: [], shallow: [] }
  const [first = '', words = ''] = (rest[0] ?? '').split('\0')
  const list = words.split(' ').filter((word) => word !== '')
  const capabilities = parseCapabilities(list)
  const symrefs = list.filter((word) => word.startsWith('symref=')).map((word) => word.slice(7))
  const shallow = rest.filter((line) => line.startsWith('shallow ')).map((line) => line.slice('shallow '.length))
  return { version: 1, capabilities, refs: collectRefs([first, ...rest.slice(1)], symrefs), shallow }
}

function parseCapabilities(words: readonly string[]): Map<string, string> {
  return new Map(
    words.map((word) => {
      const at = word.indexOf('=')
      return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}

function collectRefs(lines: readonly string[], symrefs: readonly string[]): RemoteRef[] {
  const refs = new Map<string, RemoteRef>()
  for (const line of lines) {
    const oid = line.slice(0, 40)
    const name = line.slice(41)
    if (line.startsWith('shallow ') || name === 'capabilities^{}' || name === '.have') continue
    if (!isOid(oid) || line[40] !== ' ') throw badRefLine(line)
    const peeled = name.endsWith('^{}') ? refs.get(name.slice(0, -3)) : undefined
    if (peeled === undefined) refs.set(name, { name, oid, ...targetOf(name, symrefs) })
    else refs.set(peeled.name, { ...peeled, peeled: oid })
  }
  return [...refs.values()]
}

function targetOf(name: string, symrefs: readonly string[]): { target?: string } {
  const found = symrefs.find((pair) => pair.startsWith(`${name}:`))
  return found === undefined ? {} : { target: found.slice(name.length + 1) }
}

/** A line that should have been a ref. A repository that counts by 64 digits is named as what it is. */
export function badRefLine(line: string): GitOpsError {
  if (/^[0-9a-f]{64}\b/.test(line))
    return new GitOpsError('UNSUPPORTED', 'The repository names its objects by sha256; only sha1 is supported.')
  return protocolError(`The server sent a line that is not a ref: "${line.slice(0, 60)}".`)
}
