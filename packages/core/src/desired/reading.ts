import type { Json } from '../runtime/json.ts'
import type { Text } from './text.ts'

/** What one file may cost. Raise a limit only for files you trust. */
export interface DecodeLimits {
  /** Size of a file, in bytes; also of its text once aliases are expanded. @defaultValue 8_388_608 */
  readonly maxBytes?: number
  /** Lines and list separators of one YAML document: about 20 µs of parsing each. @defaultValue 50_000 */
  readonly maxYamlNodes?: number
  /** Objects and arrays inside each other. @defaultValue 64 */
  readonly maxDepth?: number
  /** Aliases in one YAML document. @defaultValue 100 */
  readonly maxAliases?: number
  /** Documents in one file. @defaultValue 10_000 */
  readonly maxDocuments?: number
}

/** Receives every value of a document with its place, while it is read. */
export type Visit = (segments: readonly (string | number)[], offset: number) => void

/** What the readers of both formats share. */
export interface Reading {
  readonly text: Text
  readonly limits: Required<DecodeLimits>
  readonly plainScalar: ((text: string) => Json | undefined) | undefined
}

/** One value a reader found, and the offset where it begins. */
export interface ReadValue {
  readonly value: Json
  readonly offset: number
}
