import type { Message } from './wire.ts'

/** Stands for a value that is known only after an apply. */
export const unknown: unique symbol = Symbol('unknown')
export type Unknown = typeof unknown

/** Translates values of the provider protocol: MessagePack, in which an extension stands for an unknown value. */
export interface Values {
  encode(value: unknown): Message
  decode(message: unknown): unknown
}

/** Loads the MessagePack library, which only tests need. */
export async function messagePackValues(): Promise<Values> {
  const { ExtensionCodec, decode, encode } = await import('@msgpack/msgpack')
  const extensionCodec = new ExtensionCodec()
  extensionCodec.register({
    type: 0,
    encode: (value) => (value === box ? Uint8Array.of(0) : null),
    decode: () => unknown,
  })
  // Unknown with refinements: what is known about it does not matter here.
  extensionCodec.register({ type: 12, encode: () => null, decode: () => unknown })
  const options = { extensionCodec }
  return {
    encode: (value) => ({ msgpack: encode(boxed(value), options) }),
    decode: (message) => {
      const bytes = (message as Message | undefined)?.['msgpack'] as Uint8Array | undefined
      return bytes === undefined || bytes.length === 0 ? null : decode(bytes, options)
    },
  }
}

/** The library looks for extensions in objects only. */
const box = { unknown }

function boxed(value: unknown): unknown {
  if (value === unknown) return box
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, boxed(member)]))
}
