import type { Json } from '@gitops-sdk/core'

const truth = /^(?:y|Y|yes|Yes|YES|on|On|ON)$/
const untruth = /^(?:n|N|no|No|NO|off|Off|OFF)$/

/**
 * Reads an unquoted YAML scalar as the tools of Kubernetes do, which follow YAML 1.1: `yes` and `on` are
 * true, `0644` is octal, `1_000` is a number. Whatever YAML 1.2 reads in the same way is left to it.
 */
export function kubernetesScalar(text: string): Json | undefined {
  // Most scalars are names: what begins a number or a word is looked at once, for each of thousands.
  const first = text.charCodeAt(0)
  if (first > 0x39) return truth.test(text) ? true : untruth.test(text) ? false : undefined
  const digits = text.replaceAll('_', '')
  if (/^[-+]?0o?[0-7]+$/.test(digits)) return inBase(digits.replace('o', ''), 8)
  if (/^[-+]?0b[01]+$/.test(digits)) return inBase(digits.replace('0b', ''), 2)
  if (digits !== text && /^[-+]?[1-9][0-9]*$/.test(digits)) return exact(Number(digits))
  return undefined
}

function inBase(digits: string, base: number): number | undefined {
  return exact(Number.parseInt(digits, base))
}

function exact(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined
}
