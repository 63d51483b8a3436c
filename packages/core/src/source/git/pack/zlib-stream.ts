import type { Deflate, Inflate } from 'node:zlib'

/** What lies below a stream of zlib in every Node so far. Nothing promises that it stays. */
interface ZlibHandle {
  reset(): void
  writeSync(
    ...args: readonly [flush: number, from: Buffer, at: number, size: number, to: Buffer, at: 0, room: number]
  ): void
  onerror: (message: string) => void
}

/** A stream that is used again, and what it says after each step: room that is left, and input that is left. */
export interface ZlibParts {
  readonly handle: ZlibHandle
  readonly left: Uint32Array
}

/** `undefined` where Node is made otherwise. */
export function zlibParts(stream: Deflate | Inflate): ZlibParts | undefined {
  // These are not in the types, because Node does not promise them; what is found is looked at before it is used.
  const { _handle: handle, _writeState: left } = stream as unknown as {
    readonly _handle?: Partial<ZlibHandle>
    readonly _writeState?: unknown
  }
  if (typeof handle?.reset !== 'function' || typeof handle.writeSync !== 'function') return undefined
  return left instanceof Uint32Array ? { handle: handle as ZlibHandle, left } : undefined
}
