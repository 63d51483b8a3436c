import { GitOpsError, type Json, type JsonObject } from '@gitops-sdk/core'
import { objectAt } from '../client/json.ts'

/**
 * Checks what a server would refuse with a message that repeats the value, or would not explain. Throws
 * `DECLARATION_INVALID`, naming place and field, never the value.
 */
export function check(body: JsonObject, place: string): void {
  const metadata = objectAt(body, 'metadata')
  for (const field of ['labels', 'annotations'])
    for (const [key, value] of Object.entries(objectAt(metadata, field)))
      if (typeof value !== 'string' && value !== null)
        fail(place, `metadata.${field}.${key} must be text: put it in quotes`)
  if (body['kind'] === 'Secret' && body['apiVersion'] === 'v1') checkSecret(body, place)
}

function checkSecret(body: JsonObject, place: string): void {
  for (const [key, value] of Object.entries(objectAt(body, 'data')))
    if (!isBase64(value)) fail(place, `data.${key} of a Secret is not base64. Use stringData for plain text`)
  for (const [key, value] of Object.entries(objectAt(body, 'stringData')))
    if (typeof value !== 'string' && value !== null)
      fail(place, `stringData.${key} of a Secret must be text: put it in quotes`)
}

function isBase64(value: Json): boolean {
  if (value === null || value === '') return true
  if (typeof value !== 'string') return false
  const text = value.replace(/[\r\n]/g, '')
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

function fail(place: string, why: string): never {
  throw new GitOpsError('DECLARATION_INVALID', `${place}: ${why}.`)
}
