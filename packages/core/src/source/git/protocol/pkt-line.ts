import { GitOpsError } from '../../../runtime/errors.ts'

/** One packet: data, or one of the three special ones that structure a conversation. */
export type Packet = { readonly kind: 'data'; readonly data: Buffer } | { readonly kind: 'flush' | 'delimiter' | 'end' }

/** The four hexadecimal digits before every packet. */
const HEADER_BYTES = 4
/** The longest packet of the protocol, header included. */
const MAX_PACKET_BYTES = 65_520

export const flushPacket: Buffer = Buffer.from('0000')
export const delimiterPacket: Buffer = Buffer.from('0001')

/** `payload` as one packet. */
export function packet(payload: string | Uint8Array): Buffer {
  const data = typeof payload === 'string' ? Buffer.from(payload) : payload
  const size = data.byteLength + HEADER_BYTES
  if (size > MAX_PACKET_BYTES) throw new GitOpsError('INTERNAL', `A packet of ${size} bytes cannot be sent.`)
  return Buffer.concat([Buffer.from(size.toString(16).padStart(4, '0')), data])
}

/** The packets of a byte stream. Throws `SOURCE_PROTOCOL` when the stream ends inside a packet. */
export async function* readPackets(chunks: AsyncIterable<Buffer>): AsyncGenerator<Packet, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let position = 0
    while (rest.length - position >= HEADER_BYTES) {
      const size = packetSize(rest, position)
      if (rest.length - position < Math.max(size, HEADER_BYTES)) break
      yield size < HEADER_BYTES ? special(size) : { kind: 'data', data: rest.subarray(position + 4, position + size) }
      position += Math.max(size, HEADER_BYTES)
    }
    rest = rest.subarray(position)
  }
  if (rest.length > 0) throw protocolError('The answer of the server ended in the middle of a packet.')
}

function packetSize(bytes: Buffer, position: number): number {
  const digits = bytes.toString('latin1', position, position + HEADER_BYTES)
  const size = /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1
  if (size < 0 || size === 3 || size > MAX_PACKET_BYTES)
    throw protocolError(`The server does not speak the Git protocol: ${describe(bytes, position)}.`)
  return size
}

function special(size: number): Packet {
  return { kind: size === 0 ? 'flush' : size === 1 ? 'delimiter' : 'end' }
}

/** The first bytes of what came instead of a packet, safe to print. */
function describe(bytes: Buffer, position: number): string {
  const text = bytes.toString('latin1', position, position + 32).replace(/[^\x20-\x7e]/g, '.')
  return /^\s*<(!doctype|html)/i.test(text) ? 'it answered with a web page' : `it answered "${text}…"`
}

/** Text of a packet without the newline that may end it. */
export function packetText(data: Buffer): string {
  const end = data.at(-1) === 0x0a ? data.length - 1 : data.length
  return data.toString('utf8', 0, end)
}

/** An answer that the protocol does not allow. */
export function protocolError(message: string): GitOpsError {
  return new GitOpsError('SOURCE_PROTOCOL', message)
}

/** Throws when a packet carries an error of the server. */
export function throwOnServerError(text: string): void {
  if (text.startsWith('ERR ')) throw serverError(text.slice(4))
}

/** An error that the server reported in its own words. */
export function serverError(message: string): GitOpsError {
  const words = printable(message)
  if (/not our ref|no such (ref|remote)|unknown (ref|object)/i.test(words))
    return new GitOpsError('REVISION_NOT_FOUND', `The server no longer has what was asked for: ${words}.`, {
      details: { server: words },
    })
  return new GitOpsError('SOURCE_PROTOCOL', `The Git server reported an error: ${words}.`, {
    details: { server: words },
  })
}

/** `text` on one line, capped, without control characters. */
export function printable(text: string): string {
  const words = text
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .replace(/\.$/, '')
  return words.length > 300 ? `${words.slice(0, 300)}…` : words
}
