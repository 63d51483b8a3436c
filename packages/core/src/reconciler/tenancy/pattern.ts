import { GitOpsError } from '../../runtime/errors.ts'

const MAX_PATTERN_LENGTH = 1024

/**
 * Whether `text` is covered by `pattern`, in which `*` stands for any characters. Time is linear in
 * the text for any pattern: the parts between the stars are looked for from left to right, once.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const parts = pattern.split('*')
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return pattern === text
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  const end = text.length - last.length
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

/** Throws `CONFIG_INVALID` for a pattern that is blank, has blanks around it, or is too long to be meant. */
export function assertPatterns(option: string, patterns: readonly string[]): void {
  for (const pattern of patterns) {
    if (
      typeof pattern === 'string' &&
      pattern !== '' &&
      pattern.trim() === pattern &&
      pattern.length <= MAX_PATTERN_LENGTH
    )
      continue
    throw new GitOpsError('CONFIG_INVALID', `${option} holds ${JSON.stringify(pattern)}, which cannot be meant.`)
  }
}
