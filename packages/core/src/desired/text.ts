import { type ErrorCode, GitOpsError } from '../runtime/errors.ts'

/** A place in a file, counted from 1. */
export interface Position {
  readonly path: string
  readonly line: number
  readonly column: number
}

/** The text of a file, with places. */
export interface Text {
  readonly path: string
  readonly content: string
  /** Line and column of an offset, counted from 1. */
  readonly position: (offset: number) => Position
}

/** The UTF-8 text of a file, without a byte order mark. Throws `DECLARATION_LIMIT` and `DECLARATION_INVALID`. */
export function decodeText(bytes: Uint8Array, path: string, maxBytes: number): Text {
  if (bytes.length > maxBytes) {
    const message = `${path} has ${bytes.length} bytes, more than the limit of ${maxBytes} (maxBytes).`
    throw new GitOpsError('DECLARATION_LIMIT', message, { details: { path, sizeBytes: bytes.length, maxBytes } })
  }
  refuseOtherEncodings(bytes, path)
  const text = textOf(decodeUtf8(bytes) ?? refuseBadBytes(bytes, path), path)
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const control = text.content.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/)
  if (control >= 0) throw failAt(text, control, 'there is a control character, which no declaration may hold')
  return text
}

function textOf(content: string, path: string): Text {
  return { path, content, position: positionsIn(content, path) }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function refuseOtherEncodings([first, second]: Uint8Array, path: string): void {
  const marked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  if (marked) throw failAt(textOf('', path), 0, 'the file is UTF-16; save it as UTF-8')
}

/** Finds the first byte that is not UTF-8. */
function refuseBadBytes(bytes: Uint8Array, path: string): never {
  let line = 1
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline === -1 ? bytes.length : newline
    const part = bytes.subarray(start, end)
    if (decodeUtf8(part) === undefined) {
      const column = new TextDecoder().decode(part).indexOf('\ufffd') + 1
      throw failure('DECLARATION_INVALID', { path, line, column }, 'there are bytes that are not UTF-8')
    }
    start = end + 1
  }
  throw failure('DECLARATION_INVALID', { path, line, column: 1 }, 'there are bytes that are not UTF-8')
}

/** Goes on from the last place that was asked for: the documents of a file are asked for from first to last. */
function positionsIn(content: string, path: string): Text['position'] {
  let line = 1
  let start = 0
  return (offset) => {
    if (offset < start) [line, start] = [1, 0]
    for (let end = content.indexOf('\n', start); end !== -1 && end < offset; end = content.indexOf('\n', start)) {
      line++
      start = end + 1
    }
    return { path, line, column: offset - start + 1 }
  }
}

/** An error at an offset of a text. `why` is the rest of a sentence and repeats nothing of the content. */
export function failAt(text: Text, offset: number, why: string, code: ErrorCode = 'DECLARATION_INVALID'): GitOpsError {
  return failure(code, text.position(offset), why)
}

function failure(code: ErrorCode, { path, line, column }: Position, why: string): GitOpsError {
  return new GitOpsError(code, `${path}:${line}:${column}: ${why}.`, { details: { path, line, column } })
}
