import type { Actor } from '../actual/actual.ts'
import { label } from '../desired/ref.ts'
import { isoTime } from '../runtime/clock.ts'
import type { Revision } from '../source/source.ts'
import type { Action, Cause, Drift, FieldChange, FieldValue, Plan, Redacted } from './plan.ts'

/** Longer values are cut: a plan is read by people. */
const MAX_VALUE_LENGTH = 120

const verbs: Readonly<Record<Action, string>> = {
  create: 'to create',
  update: 'to update',
  replace: 'to replace',
  adopt: 'to adopt',
  move: 'to move',
  delete: 'to delete',
  forget: 'to forget',
}

/** `1 to create, 2 to update`, or that nothing is to be done. */
export function countsText({ changes, mode }: Plan): string {
  const counts = (Object.keys(verbs) as Action[]).map((action) => {
    const count = changes.filter((change) => change.action === action).length
    return count === 0 ? [] : `${count} ${verbs[action]}`
  })
  const text = counts.flat().join(', ')
  if (text !== '') return mode === 'destroy' ? `destroy: ${text}` : text
  return mode === 'accept-drift' ? 'accepts actual state as it is' : 'nothing to do'
}

/** `main (3f2a91c)`, or the start of the id alone. */
export function revisionText({ id, name }: Revision): string {
  const short = /^[0-9a-f]{40,}$/.test(id) ? id.slice(0, 8) : id
  return plainText(name === undefined || name === id ? short : `${name} (${short})`)
}

/** Why the plan may not show everything. */
export function incompleteText({ complete, blocked }: Plan): string | undefined {
  if (complete) return undefined
  const unread = blocked.filter(({ rule }) => rule === 'unreadable').length
  return unread > 0
    ? `This plan is not complete: ${unread} of its resources could not be read.`
    : 'This plan is not complete.'
}

/** A value on one line, secrets as a short mark that still shows equality. */
export function valueText(value: FieldValue | undefined): string {
  if (value === undefined) return '(nothing)'
  if (isRedacted(value)) return secretText(value)
  const json = JSON.stringify(value, (_, part: FieldValue) => (isRedacted(part) ? secretText(part) : part))
  const text = plainText(json)
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}… (${text.length} characters)` : text
}

function secretText({ redacted }: Redacted): string {
  return `(secret ${plainText(redacted.slice(0, 8))})`
}

/** Text without anything that a terminal or a page would obey: control characters and changes of direction are shown. */
export function plainText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const obeyed = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
  return text.replace(obeyed, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** `maria via console`, with the doubt there is. */
export function actorText({ name, via, confidence }: Actor): string {
  const doubt = confidence === 'certain' ? '' : confidence === 'shared' ? ' among others' : ' probably'
  return plainText(`${name}${via === undefined ? '' : ` via ${via}`}${doubt}`)
}

/** Where a field's difference comes from, for the end of its line. */
export function fieldNote({ cause, actor, unknown }: FieldChange): string {
  const notes = [
    unknown ? 'known after apply' : [],
    cause ? causeText(cause) : [],
    actor ? `by ${actorText(actor)}` : [],
  ]
  const text = notes.flat().join(', ')
  return text === '' ? '' : `(${text})`
}

const causes: Readonly<Record<Cause, string>> = {
  revision: 'declared anew',
  drift: 'drifted',
  both: 'declared anew and drifted',
  dependency: 'a dependency changed',
  requested: 'requested',
  hook: 'hook',
}

/** A cause as people say it. */
export function causeText(cause: Cause): string {
  return causes[cause]
}

/** One sentence about a drift: what, who, since when, and whether it is healed. */
export function driftText(drift: Drift): string {
  const since = drift.firstSeenAt === undefined ? '' : ` since ${isoTime(drift.firstSeenAt)}`
  const actor = drift.actor === undefined ? '' : ` by ${actorText(drift.actor)}`
  const healed = drift.healed ? 'healed by this plan' : 'not healed'
  return `${plainText(label(drift.ref))} ${kinds[drift.kind]}${actor}${since}${movedText(drift)}; ${healed}`
}

const kinds: Readonly<Record<Drift['kind'], string>> = {
  modified: 'was modified',
  missing: 'was deleted',
  extraneous: 'is there and not declared',
  recreated: 'was deleted and made anew',
  'ownership-lost': 'was taken over',
}

function movedText({ fields }: Drift): string {
  if (fields.length === 0) return ''
  const shown = fields.slice(0, 3).map(({ path, before, after }) => {
    return `${plainText(path)} is ${valueText(before)}, declared ${valueText(after)}`
  })
  const more = fields.length > 3 ? [`and ${fields.length - 3} more`] : []
  return `: ${[...shown, ...more].join('; ')}`
}

function isRedacted(value: FieldValue): value is Redacted {
  return typeof value === 'object' && value !== null && 'redacted' in value && typeof value.redacted === 'string'
}
