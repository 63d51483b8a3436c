import type { GitOpsError } from '../runtime/errors.ts'
import type { Json } from '../runtime/json.ts'
import { failAt, type Text } from './text.ts'

/** Keys that no declaration and no patch may hold: naive code that merges them changes every object. */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Why a key may not be used again or at all, if it may not. */
export function keyProblem(
  key: string,
  seen: Readonly<Record<string, Json>>,
  text: Text,
  offset: number,
): GitOpsError | undefined {
  if (forbiddenKeys.has(key)) {
    return failAt(text, offset, `the key ${key} is not allowed in a declaration`, 'DECLARATION_FORBIDDEN_KEY')
  }
  return Object.hasOwn(seen, key) ? failAt(text, offset, `the key ${shown(key)} is there twice`) : undefined
}

function shown(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key)
}

/** The error for structures that are too deep. */
export function tooDeep(text: Text, offset: number, maxDepth: number): GitOpsError {
  return failAt(text, offset, `objects and arrays are more than ${maxDepth} deep (maxDepth)`, 'DECLARATION_LIMIT')
}

/** Whether the text has only whole characters: no half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}
