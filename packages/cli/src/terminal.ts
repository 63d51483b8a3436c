import type { Io } from './io.ts'

/** What a terminal obeys, and what makes it show text in another order than it is written. */
const steering = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu
/** Colours of our own, see `createPrint`. */
// oxlint-disable-next-line no-control-regex -- a control character is what is let through
const colours = /(\u001b\[(?:0|1|3[1-3])m)/

/**
 * The same outputs, on which nothing that others wrote steers the terminal: names, commit messages and what systems
 * say may hide a line of a plan, or write to the clipboard. Such characters are written as JSON does, `\u001b`.
 */
export function guarded(io: Io): Io {
  const write =
    (to: (text: string) => void) =>
    (text: string): void =>
      to(io.colour ? text.split(colours).map(outside).join('') : harmless(text))
  return { ...io, out: write(io.out), err: write(io.err) }
}

/** Every second part is a colour. */
function outside(part: string, index: number): string {
  return index % 2 === 1 ? part : harmless(part)
}

function harmless(text: string): string {
  return text.replace(steering, (char) =>
    char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
