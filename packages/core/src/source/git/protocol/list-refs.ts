import { type GitLimits, limitError } from '../limits.ts'
import { isOid } from '../objects.ts'
import { type Advertisement, type RemoteRef, badRefLine } from './advertisement.ts'
import {
  type Packet,
  delimiterPacket,
  flushPacket,
  packet,
  packetText,
  protocolError,
  throwOnServerError,
} from './pkt-line.ts'

/** Name of this client, as servers log it. */
export const agent = 'gitops-sdk'

/** The request for all refs that start with one of `prefixes`; the empty prefix asks for every ref. */
export function listRefsRequest(advertisement: Advertisement, prefixes: readonly string[]): Buffer {
  const unborn = advertisement.capabilities.get('ls-refs')?.split(' ').includes('unborn') === true
  return Buffer.concat([
    packet('command=ls-refs\n'),
    packet(`agent=${agent}`),
    ...(advertisement.capabilities.has('object-format') ? [packet('object-format=sha1')] : []),
    delimiterPacket,
    packet('peel\n'),
    packet('symrefs\n'),
    ...(unborn ? [packet('unborn\n')] : []),
    ...(prefixes.includes('') ? [] : prefixes).map((prefix) => packet(`ref-prefix ${prefix}\n`)),
    flushPacket,
  ])
}

/** Reads the answer. It must end with a flush: a list that was cut off is an error, never a short list. */
export async function readRefs(packets: AsyncIterable<Packet>, limits: GitLimits): Promise<RemoteRef[]> {
  const refs: RemoteRef[] = []
  for await (const one of packets) {
    if (one.kind === 'flush') return refs
    if (one.kind !== 'data') continue
    const text = packetText(one.data)
    throwOnServerError(text)
    refs.push(parseRef(text))
    if (refs.length > limits.maxRefs) throw limitError('maxRefs', limits, 'The list of refs of the server')
  }
  throw protocolError('The server ended its list of refs too early.')
}

function parseRef(line: string): RemoteRef {
  const [oid = '', name = '', ...attributes] = line.split(' ')
  if (name === '' || (oid !== 'unborn' && !isOid(oid))) throw badRefLine(line)
  const peeled = attribute(attributes, 'peeled:')
  const target = attribute(attributes, 'symref-target:')
  if (peeled !== undefined && !isOid(peeled)) throw badRefLine(line)
  return {
    name,
    ...(oid === 'unborn' ? {} : { oid }),
    ...(peeled === undefined ? {} : { peeled }),
    ...(target === undefined ? {} : { target }),
  }
}

function attribute(attributes: readonly string[], prefix: string): string | undefined {
  return attributes.find((text) => text.startsWith(prefix))?.slice(prefix.length)
}
