import type { ActualResource, Actor } from '../actual/actual.ts'
import { isDigestOfBody } from '../desired/build.ts'
import type { Resource } from '../desired/desired.ts'
import { refKey } from '../desired/ref.ts'
import { extend } from '../runtime/extend.ts'
import type { Comparison } from './comparison.ts'
import { causesOf, isUnchanged, lastApplied } from './causes.ts'
import { diffJson, type DiffOptions, type JsonDifference } from './diff.ts'
import { ruleText, ruleThatIgnores } from './ignore.ts'
import { noteDigest } from './fingerprint.ts'
import type { Cause, FieldChange, Ignored } from './plan.ts'
import { createRedaction, secretPaths, type SecretPaths, touchesSecret } from './redact.ts'

/** How a resource differs from its declaration, and which differences a rule leaves out. */
export interface Fields {
  readonly fields: readonly FieldChange[]
  readonly ignored: readonly Ignored[]
}

const none: Fields = { fields: [], ignored: [] }

/** The fields of a resource that is made from nothing. */
export function fieldsOfNew(declared: Resource, { request, options }: Comparison): readonly FieldChange[] {
  const secrets = secretPaths(declared.sensitive)
  const { redact } = createRedaction(secrets, request.seal)
  const body = redact(declared.body)
  const fields = diffJson({}, body, options).map((each) => extend(each, sensitivity(each, secrets)))
  if (body === declared.body && isDigestOfBody(declared)) noteDigest(fields, declared.digest)
  return fields
}

/** Compares what is there with what is declared. Bodies with the same digest are not looked at. */
export function compareFields(declared: Resource, found: ActualResource, comparison: Comparison): Fields {
  if (found.digest === declared.digest || found.body === declared.body) return none
  const { request, options, previous } = comparison
  const view = options.view?.(found, declared.body) ?? found.body
  const key = refKey(declared.ref)
  const before = previous.get(key)
  const secrets = secretPaths(declared.sensitive, found.sensitive, before?.sensitive)
  const { redact, isStandIn } = createRedaction(secrets, request.seal)
  const how: DiffOptions = { ...options, atomic: (value) => isStandIn(value) || options.atomic?.(value) === true }
  const bodies = { before: redact(view), after: redact(declared.body) }
  const differences = diffJson(bodies.before, bodies.after, how)
  if (differences.length === 0) return none
  const applied = request.owned.get(key)
  const unchanged = isUnchanged(declared, before, applied)
  const base = lastApplied(before, applied)
  const causes = causesOf(differences, { ...bodies, previous: base && redact(base.body) }, unchanged, how)
  const described = differences.map((each, index) => describeField(each, causes[index]!, found, secrets))
  return splitIgnored(declared, described, comparison)
}

function describeField(each: JsonDifference, cause: Cause, found: ActualResource, secrets: SecretPaths): FieldChange {
  const actor = found.actorOf?.(each.path)
  return { ...each, cause, ...sensitivity(each, secrets), ...(actor && { actor }) }
}

function sensitivity({ path }: JsonDifference, secrets: SecretPaths): { readonly sensitive?: boolean } {
  return touchesSecret(path, secrets) ? { sensitive: true } : {}
}

function splitIgnored({ ref }: Resource, all: readonly FieldChange[], { request }: Comparison): Fields {
  const fields: FieldChange[] = []
  const ignored: Ignored[] = []
  for (const each of all) {
    const rule = ruleThatIgnores(request.ignore, ref, each.path, each.actor)
    if (rule === undefined) fields.push(each)
    else ignored.push({ ref, path: each.path, rule: ruleText(rule) })
  }
  return { fields, ignored }
}

/** Who made fields differ, if it was one and the same. */
export function commonActor(fields: readonly FieldChange[]): Actor | undefined {
  const [first, ...others] = fields.map(({ actor }) => actor)
  return first !== undefined && others.every((actor) => actor?.name === first.name) ? first : undefined
}
