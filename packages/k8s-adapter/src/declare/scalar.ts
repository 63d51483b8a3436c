import type { Json } from '@gitops-sdk/core'

const truths: ReadonlySet<string> = new Set(['y', 'yes', 'on'])
const untruths: ReadonlySet<string> = new Set(['n', 'no', 'off'])

/**
 * Reads an unquoted YAML scalar as the tools of Kubernetes do, which follow YAML 1.1: `yes` and `on` are
 * true, `0644` is octal, `1_000` is a number. Whatever YAML 1.2 reads in the same way is left to it.
 */
export function kubernetesScalar(text: string): Json | undefined {
  const word = sameCase(text)
  if (word !== undefined && truths.has(word)) return true
  if (word !== undefined && untruths.has(word)) return false
  const digits = text.replaceAll('_', '')
  if (/^[-+]?0o?[0-7]+$/.test(digits)) return inBase(digits.replace('o', ''), 8)
  if (/^[-+]?0b[01]+$/.test(digits)) return inBase(digits.replace('0b', ''), 2)
  if (digits !== text && /^[-+]?[1-9][0-9]*$/.test(digits)) return exact(Number(digits))
  return undefined
}

/** A word in one of the three ways YAML 1.1 accepts: `yes`, `Yes`, `YES`. */
function sameCase(text: string): string | undefined {
  const word = text.toLowerCase()
  const titled = `${word.charAt(0).toUpperCase()}${word.slice(1)}`
  return [word, titled, word.toUpperCase()].includes(text) ? word : undefined
}

function inBase(digits: string, base: number): number | undefined {
  return exact(Number.parseInt(digits, base))
}

function exact(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined
}
