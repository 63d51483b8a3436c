import type { JsonObject } from '@gitops-sdk/core'
import { metadataOf, objectAt, objectOf, objectsOf, textOf } from '../client/json.ts'
import { OWN } from '../declare/annotations.ts'

/** On an object that was written under a claim of its application: the token of that claim. */
export const TOKEN: string = `${OWN}fence`

/**
 * The token under which `manager` last wrote an object. One that somebody edited is nobody's word: its field is no
 * longer ours, and it does not count.
 */
export function tokenOf(object: JsonObject, manager: string): number | undefined {
  const metadata = metadataOf(object)
  const text = textOf(objectAt(metadata, 'annotations')[TOKEN])
  if (!/^\d{1,15}$/.test(text)) return undefined
  const isOurs = objectsOf(metadata['managedFields']).some(
    (entry) => entry['manager'] === manager && entry['operation'] === 'Apply' && isIn(objectAt(entry, 'fieldsV1')),
  )
  return isOurs ? Number(text) : undefined
}

/** A set of fields without that of the token, which is no part of what is declared. */
export function withoutToken(fields: JsonObject): JsonObject {
  if (!isIn(fields)) return fields
  const { 'f:metadata': metadata, ...rest } = fields
  const { 'f:annotations': annotations, ...others } = objectOf(metadata)
  const { [`f:${TOKEN}`]: _token, ...kept } = objectOf(annotations)
  const isLast = Object.keys(kept).every((step) => step === '.')
  const left: JsonObject = isLast ? others : { ...others, 'f:annotations': kept }
  return Object.keys(left).length === 0 ? rest : { ...rest, 'f:metadata': left }
}

function isIn(fields: JsonObject): boolean {
  return objectAt(objectAt(fields, 'f:metadata'), 'f:annotations')[`f:${TOKEN}`] !== undefined
}
