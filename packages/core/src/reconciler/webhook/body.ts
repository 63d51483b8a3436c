import { withDeadline, type Call } from '../../runtime/call.ts'

/** What a request may send. */
export interface BodyLimits {
  readonly maxBytes: number
  readonly timeMs: number
}

/** The body of `request`, or the status with which it is refused. Holds at most `maxBytes` of it. */
export async function readBody(
  request: Request,
  limits: BodyLimits,
  call: Call,
): Promise<Uint8Array<ArrayBuffer> | 400 | 408 | 413> {
  if (Number(request.headers.get('content-length') ?? 0) > limits.maxBytes) return 413
  if (request.body === null) return new Uint8Array()
  const reader = request.body.getReader()
  try {
    return await withDeadline(call, limits.timeMs, 'Reading a webhook', () => readAll(reader, limits.maxBytes))
  } catch {
    // The sender went away, or sends too slowly: either way nobody is left who could be told more.
    return 408
  } finally {
    // Ends the transfer; whether the sender likes that is of no interest.
    reader.cancel().catch(() => {})
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | 413> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    sizeBytes += next.value.length
    if (sizeBytes > maxBytes) return 413
    chunks.push(next.value)
  }
  const body = new Uint8Array(sizeBytes)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}
