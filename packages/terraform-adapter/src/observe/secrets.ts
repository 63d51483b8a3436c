import { type Json, type Redactor, textsIn } from '@gitops-sdk/core'
import type { PlanJson, ResourceChangeJson } from './plan-json.ts'

/**
 * Teaches the redactor every secret value of a plan: masks tell where a secret stands, but a provider may copy it to
 * where no mask is.
 */
export function learnSecrets(plan: PlanJson, redactor: Redactor): void {
  for (const secret of new Set(secretsIn(plan))) redactor.add(secret)
}

function secretsIn({
  resource_changes = [],
  resource_drift = [],
  output_changes = {},
  variables = {},
  configuration,
}: PlanJson): string[] {
  const declared = configuration?.root_module?.variables ?? {}
  const inVariables = Object.entries(variables).filter(([name]) => declared[name]?.sensitive === true)
  const changes = [...resource_changes, ...resource_drift].map(({ change }: ResourceChangeJson) => change)
  return [
    ...inVariables.flatMap(([, { value }]) => textsIn(value ?? null)),
    ...[...changes, ...Object.values(output_changes)].flatMap((change) => [
      ...masked(change.before ?? null, change.before_sensitive),
      ...masked(change.after ?? null, change.after_sensitive),
    ]),
  ]
}

/** The texts of `value` at every place where the mask says `true`. */
function masked(value: Json, mask: Json | undefined): readonly string[] {
  if (mask === true) return textsIn(value)
  if (typeof mask !== 'object' || mask === null || typeof value !== 'object' || value === null) return []
  const members = value as Readonly<Record<string, Json>>
  return Object.entries(mask).flatMap(([key, below]) => masked(members[key] ?? null, below))
}
