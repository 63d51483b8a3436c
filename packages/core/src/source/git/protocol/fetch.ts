import { type Advertisement } from './advertisement.ts'
import { agent } from './list-refs.ts'
import {
  type Packet,
  delimiterPacket,
  flushPacket,
  packet,
  packetText,
  protocolError,
  serverError,
  throwOnServerError,
} from './pkt-line.ts'
import { isOid } from '../objects.ts'

/** What is asked of a server in one fetch. */
export interface FetchRequest {
  /** Object ids that are wanted, with what they refer to. */
  readonly wants: readonly string[]
  /** Commits that are here complete, so that only the difference is sent. */
  readonly haves: readonly string[]
  /** Those of `haves` whose parents are not here. */
  readonly shallow: readonly string[]
  /** Commits of history to send; the whole history when absent. */
  readonly depth?: number
  /** `blob:none`, `tree:0`; ignored by servers that cannot. */
  readonly filter?: string
  /** The pack may hold differences to objects of `haves`. */
  readonly thin: boolean
}

/** A pack on its way, and what the server said about where its history ends. */
export interface FetchAnswer {
  /** Commits whose parents the server leaves out, or does not have itself. */
  readonly shallow: readonly string[]
  readonly unshallow: readonly string[]
  /** The bytes of the pack. Ends only after the server said that it is complete. */
  readonly pack: AsyncIterable<Buffer>
}

/** Whether the server can leave objects out. */
export function canFilter({ version, capabilities }: Advertisement): boolean {
  if (version === 1) return capabilities.has('filter')
  return capabilities.get('fetch')?.split(' ').includes('filter') === true
}

/** The bytes of a fetch, for the version that the server speaks. */
export function fetchRequest(advertisement: Advertisement, request: FetchRequest): Buffer {
  return Buffer.concat(
    advertisement.version === 2 ? version2(advertisement, request) : version1(advertisement, request),
  )
}

function version2(advertisement: Advertisement, request: FetchRequest): Buffer[] {
  return [
    packet('command=fetch'),
    packet(`agent=${agent}`),
    ...(advertisement.capabilities.has('object-format') ? [packet('object-format=sha1')] : []),
    delimiterPacket,
    ...(request.thin ? [packet('thin-pack')] : []),
    packet('ofs-delta'),
    packet('no-progress'),
    ...request.wants.map((oid) => packet(`want ${oid}\n`)),
    ...boundary(advertisement, request),
    ...request.haves.map((oid) => packet(`have ${oid}\n`)),
    packet('done\n'),
    flushPacket,
  ]
}

function version1(advertisement: Advertisement, request: FetchRequest): Buffer[] {
  const offered = ['multi_ack_detailed', 'side-band-64k', 'thin-pack', 'ofs-delta', 'no-progress', 'shallow', 'filter']
  const wished = offered.filter((name) => request.thin || name !== 'thin-pack')
  const known = wished.filter((name) => advertisement.capabilities.has(name))
  if (!known.includes('side-band-64k'))
    throw protocolError('The server is too old: it cannot report errors while it sends a pack (side-band-64k).')
  const words = [...known, ...(advertisement.capabilities.has('agent') ? [`agent=${agent}`] : [])].join(' ')
  return [
    ...request.wants.map((oid, index) => packet(index === 0 ? `want ${oid} ${words}\n` : `want ${oid}\n`)),
    ...boundary(advertisement, request),
    flushPacket,
    ...request.haves.map((oid) => packet(`have ${oid}\n`)),
    packet('done\n'),
  ]
}

function boundary(advertisement: Advertisement, request: FetchRequest): Buffer[] {
  const filter = request.filter !== undefined && canFilter(advertisement) ? [packet(`filter ${request.filter}\n`)] : []
  return [
    ...request.shallow.map((oid) => packet(`shallow ${oid}\n`)),
    ...(request.depth === undefined ? [] : [packet(`deepen ${request.depth}\n`)]),
    ...filter,
  ]
}

/** Reads the answer up to the pack, whose bytes follow as a stream. */
export async function readFetchAnswer(
  packets: AsyncGenerator<Packet, void, undefined>,
  advertisement: Advertisement,
  request: FetchRequest,
): Promise<FetchAnswer> {
  const head = { shallow: [...advertisement.shallow], unshallow: [] as string[] }
  if (advertisement.version === 2) await readHead2(packets, head)
  else await readHead1(packets, head, request)
  return { ...head, pack: readSideband(packets) }
}

interface Head {
  readonly shallow: string[]
  readonly unshallow: string[]
}

async function readHead2(packets: AsyncGenerator<Packet>, head: Head): Promise<void> {
  for (;;) {
    const line = await nextText(packets)
    if (line === 'packfile') return
    if (line !== undefined) noteBoundary(line, head)
  }
}

/** Old protocol: boundaries and a flush when a depth was asked for, then acknowledgements, then the pack. */
async function readHead1(packets: AsyncGenerator<Packet>, head: Head, request: FetchRequest): Promise<void> {
  if (request.depth !== undefined || request.shallow.length > 0) {
    for (let line = await nextText(packets); line !== undefined; line = await nextText(packets)) {
      if (line === 'NAK') return
      noteBoundary(line, head)
    }
  }
  for (;;) {
    const line = await nextText(packets)
    if (line === 'NAK' || (line?.startsWith('ACK ') === true && line.split(' ').length === 2)) return
  }
}

/** Text of the next packet; `undefined` for a flush or a delimiter. */
async function nextText(packets: AsyncGenerator<Packet>): Promise<string | undefined> {
  const { value, done } = await packets.next()
  if (done === true || value === undefined) throw protocolError('The server ended its answer before the pack.')
  if (value.kind !== 'data') return undefined
  const text = packetText(value.data)
  throwOnServerError(text)
  return text
}

function noteBoundary(line: string, head: Head): void {
  const [word, oid = ''] = line.split(' ')
  if (word === 'shallow' && isOid(oid)) head.shallow.push(oid)
  if (word === 'unshallow' && isOid(oid)) head.unshallow.push(oid)
}

/** Channel 1 carries the pack, 2 progress, 3 a fatal error. Only a flush ends it well. */
async function* readSideband(packets: AsyncGenerator<Packet>): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const { value, done } = await packets.next()
    if (done === true || value === undefined) throw cutOff()
    if (value.kind !== 'data') return
    const channel = value.data[0]
    if (channel === 3) throw serverError(value.data.toString('utf8', 1))
    if (channel === 1) yield value.data.subarray(1)
    else if (channel !== 2) throw protocolError('The server mixed something into the pack that is not part of it.')
  }
}

function cutOff(): Error {
  return protocolError('The server ended its answer in the middle of the pack.')
}
