import { GitOpsError } from '@gitops-sdk/core'

/** A piece of a text in HCL. `text` has its escapes resolved; it has no value where a template decides it. */
export type Token =
  | { readonly kind: 'word' | 'mark'; readonly value: string }
  | { readonly kind: 'text'; readonly value: string | undefined }
  | { readonly kind: 'line' }

const word = /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}_-]*/uy
const blank = /[^\S\n]+/y
const comment = /#[^\n]*|\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)/y
const heredoc = /<<(-?)([\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}_-]*)\r?\n/uy
const escape = /\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y
const plain: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' }

/**
 * The tokens of a text in HCL, as far as it has to be read to know its blocks. Throws `DECLARATION_INVALID` for what
 * cannot be read: what is not understood is not let through.
 */
export function tokensOf(text: string, path: string): Token[] {
  const tokens: Token[] = []
  let at = 0

  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text) ?? undefined
    if (found !== undefined) at = pattern.lastIndex
    return found
  }
  const fail = (): never => {
    const line = text.slice(0, at).split('\n').length
    throw new GitOpsError('DECLARATION_INVALID', `${path}:${line} cannot be read, so it is not known what it does.`)
  }

  const token = (): Token | undefined => {
    if (take(blank) !== undefined || take(comment) !== undefined) return undefined
    const found = take(word)
    if (found !== undefined) return { kind: 'word', value: found[0] }
    const document = take(heredoc)
    if (document !== undefined) return skipHeredoc(document[2] ?? '')
    const character = text[at++]
    if (character === '"') return quoted()
    return character === '\n' ? { kind: 'line' } : { kind: 'mark', value: character ?? '' }
  }

  /** After the opening quote. */
  const quoted = (): Token => {
    let value = ''
    let isTemplate = false
    for (;;) {
      const character = text[at]
      if (character === undefined || character === '\n') return fail()
      if (character === '"') {
        at++
        return { kind: 'text', value: isTemplate ? undefined : value }
      }
      if (character === '\\') value += unescaped()
      else if (skipTemplate()) isTemplate = true
      else value += text[at++]
    }
  }

  const unescaped = (): string => {
    const [, letter, short, long] = take(escape) ?? fail()
    if (letter !== undefined) return plain[letter] ?? ''
    const code = Number.parseInt(short ?? long ?? '', 16)
    return code > 0x10ffff ? fail() : String.fromCodePoint(code)
  }

  /** A template begins here: goes behind its end. What is in it can be no block. */
  const skipTemplate = (): boolean => {
    const opening = text.slice(at, at + 2)
    // Nobody writes this by accident, and readers differ in where the template begins.
    if (text.startsWith('$$$', at) || text.startsWith('%%%', at)) fail()
    const isOpening = opening === '${' || opening === '%{'
    // Doubled, it stands for itself.
    if (!isOpening && (text.startsWith('$${', at) || text.startsWith('%%{', at))) at += 2
    if (!isOpening) return false
    at += 2
    for (let depth = 1; depth > 0;) {
      if (at >= text.length) fail()
      const inside = token()
      if (inside?.kind === 'mark' && inside.value === '{') depth++
      if (inside?.kind === 'mark' && inside.value === '}') depth--
    }
    return true
  }

  const skipHeredoc = (name: string): Token => {
    for (let isStart = true; ;) {
      if (at >= text.length) return fail()
      const end = text.indexOf('\n', at)
      const line = text.slice(at, end < 0 ? text.length : end)
      if (isStart && line.trim() === name) {
        at += line.length
        return { kind: 'text', value: undefined }
      }
      isStart = false
      if (!skipTemplate()) isStart = text[at++] === '\n'
    }
  }

  while (at < text.length) {
    const next = token()
    if (next !== undefined) tokens.push(next)
  }
  return tokens
}
