import type { Resource } from '../desired/desired.ts'
import { isList, isObject, parsePointer, valueAt } from '../desired/pointer.ts'
import { refKey } from '../desired/ref.ts'
import type { Json, JsonObject } from '../runtime/json.ts'
import type { Plan } from './plan.ts'

/**
 * The declared body with what is there at the paths the plan ignores. A target that writes whole
 * bodies writes this, so that changing one field does not reset another that a rule leaves to
 * somebody else. An ignored item of an array is kept only where the declaration has one at its index.
 */
export function keepIgnored({ ignored }: Pick<Plan, 'ignored'>, declared: Resource, there: JsonObject): JsonObject {
  const key = refKey(declared.ref)
  const paths = ignored
    .filter(({ ref, path }) => path !== '' && refKey(ref) === key)
    .map(({ path }) => parsePointer(path))
  const kept = paths.reduce<Json>((body, path) => withValueAt(body, path, valueAt(there, path)), declared.body)
  return isObject(kept) ? kept : declared.body
}

function withValueAt(body: Json, [segment, ...rest]: readonly string[], value: Json | undefined): Json {
  if (segment === undefined) return value ?? body
  const below = valueAt(body, [segment])
  const next = rest.length === 0 ? value : below && withValueAt(below, rest, value)
  if (isList(body)) return below === undefined || next === undefined ? body : body.with(Number(segment), next)
  if (!isObject(body)) return body
  const { [segment]: _before, ...others } = body
  return next === undefined ? others : { ...others, [segment]: next }
}
