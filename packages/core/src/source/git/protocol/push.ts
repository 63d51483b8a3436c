import { agent } from './list-refs.ts'
import {
  type Packet,
  flushPacket,
  packet,
  packetText,
  printable,
  protocolError,
  throwOnServerError,
} from './pkt-line.ts'

/** One ref that is to move, if it still is where it is thought to be. */
export interface RefUpdate {
  readonly ref: string
  readonly from: string
  readonly to: string
}

/** The bytes of a push: the update, then the objects it needs. */
export function pushRequest(update: RefUpdate, pack: Buffer): Buffer {
  const line = `${update.from} ${update.to} ${update.ref}\0 report-status agent=${agent}`
  return Buffer.concat([packet(line), flushPacket, pack])
}

/** `undefined` when the ref was moved; otherwise why not, in the words of the server. */
export async function readPushReport(packets: AsyncIterable<Packet>, ref: string): Promise<string | undefined> {
  let unpacked = false
  for await (const one of packets) {
    if (one.kind !== 'data') break
    const text = packetText(one.data)
    throwOnServerError(text)
    if (text === 'unpack ok') unpacked = true
    else if (text.startsWith('unpack ')) return printable(text.slice('unpack '.length))
    else if (text === `ok ${ref}` && unpacked) return undefined
    else if (text.startsWith(`ng ${ref} `)) return printable(text.slice(`ng ${ref} `.length))
  }
  throw protocolError('The server did not say whether it took the commit.')
}
