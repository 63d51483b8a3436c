import type { PatchOperation } from '../desired/patch.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { Json } from '../runtime/json.ts'
import type { Change } from './plan.ts'

/**
 * The fields of a change as a JSON Patch (RFC 6902), for targets that take one: it turns what is there
 * into what is declared. Throws `PATCH_INVALID` when a field is secret or not known yet: a plan does
 * not hold such values, so write the declared body instead.
 */
export function toJsonPatch({ fields }: Pick<Change, 'fields'>): PatchOperation[] {
  return fields.map(({ path, op, after, sensitive, unknown }) => {
    if (op === 'remove') return { op, path }
    if (sensitive === true || unknown === true || after === undefined) throw noValue(path)
    // A value that is not sensitive holds no stand-in for a secret.
    return { op, path, value: after as Json }
  })
}

function noValue(path: string): GitOpsError {
  return new GitOpsError(
    'PATCH_INVALID',
    `The value at ${path} is not in the plan, because it is secret or not known yet.`,
  )
}
