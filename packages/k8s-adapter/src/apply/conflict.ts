import { type Change, GitOpsError, type JsonObject, label, type ResourceRef } from '@gitops-sdk/core'
import { refusalOf } from '../client/errors.ts'
import { managersOf } from '../observe/field-set.ts'

/**
 * What is done when other managers own fields that are declared. `heal`: fields that somebody edited are
 * taken back, those that another tool applies or a scaler steers are refused. `force`: all are taken.
 * `refuse`: none.
 */
export type ConflictPolicy = 'heal' | 'force' | 'refuse'

/** Whether an error says that others own fields. */
export function isConflict(thrown: unknown): thrown is GitOpsError {
  return thrown instanceof GitOpsError && thrown.code === 'APPLY_CONFLICT'
}

/** One manager in the way. */
interface Rival {
  readonly manager: string
  readonly subresource: string
  readonly field: string
}

/** Whether the policy permits to take the fields of a conflict from whoever owns them. */
export function mayTake(
  conflict: GitOpsError,
  live: JsonObject,
  change: Change,
  { conflicts: policy, manager: self }: { readonly conflicts: ConflictPolicy; readonly manager: string },
): boolean {
  if (policy === 'refuse') return false
  if (policy === 'force') return true
  const entries = managersOf(live)
  return (
    rivalsOf(conflict).every(({ manager, subresource }) => {
      if (subresource === 'scale') return false
      // What we applied is never in our own way: this is an edit by somebody who uses our name.
      if (manager === self) return true
      return !entries.some(
        (entry) => entry.manager === manager && entry.subresource === subresource && entry.operation === 'Apply',
      )
    }) && change.action !== 'create'
  )
}

/** The conflict as it is reported: with the names of the owners and their fields. */
export function describeConflict(conflict: GitOpsError, ref: ResourceRef): GitOpsError {
  const rivals = rivalsOf(conflict)
  const names = [...new Set(rivals.map(({ manager }) => manager))]
  const fields = [...new Set(rivals.map(({ field }) => field))]
  const message = `${label(ref)} is also managed by ${names.join(', ')} (${fields.slice(0, 5).join(', ')}${fields.length > 5 ? ', …' : ''}). Remove the fields from one of the two, or take them over with \`conflicts: 'force'\`.`
  return new GitOpsError('APPLY_CONFLICT', message, { cause: conflict, details: { owners: names, fields } })
}

/** In strict mode: another tool declares fields of the same object, and would bring them back. */
export function extrasOfAnother({ ref }: Change, manager: string): GitOpsError {
  const message = `${label(ref)} has fields that ${manager} declares and we do not. Remove them there, name ${manager} in \`strict.allow\`, or take them with \`conflicts: 'force'\`.`
  return new GitOpsError('APPLY_CONFLICT', message, { details: { owners: [manager] } })
}

/** The server gives the owner only inside a sentence of a fixed form: `conflict with "name" with subresource "scale" using v1`. */
function rivalsOf(conflict: GitOpsError): Rival[] {
  const causes = refusalOf(conflict)?.causes ?? []
  return causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ field, message }) => {
      const [, manager = 'another manager', subresource = ''] =
        /^conflict with "([^"]*)"(?: with subresource "([^"]*)")?/.exec(message) ?? []
      return { manager, subresource, field }
    })
}
