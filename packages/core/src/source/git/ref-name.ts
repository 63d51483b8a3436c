import { GitOpsError } from '../../runtime/errors.ts'

const MAX_REF_BYTES = 1_024

/**
 * Throws `CONFIG_INVALID` unless `name` is a ref name that git allows (git-check-ref-format), and
 * does not look like an option.
 */
export function assertRefName(name: string): void {
  const problem = problemOf(name)
  if (problem === undefined) return
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
  throw new GitOpsError('CONFIG_INVALID', `${shown} is not a ref name: ${problem}.`)
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (new TextEncoder().encode(name).length > MAX_REF_BYTES) return `it is longer than ${MAX_REF_BYTES} bytes`
  if (name.startsWith('-')) return 'it looks like an option'
  if (/[\p{Cc} ~^:?*[\\]/u.test(name)) return 'it holds a character that refs may not hold'
  if (name.includes('..') || name.includes('@{') || name === '@') return 'it is an expression, not a name'
  if (/^\/|\/$|\/\/|\.$/.test(name)) return 'it starts or ends where a name cannot'
  if (name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'))) return 'a part of it is reserved'
  return undefined
}
