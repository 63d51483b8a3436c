import {
  type ActualResource,
  type ActualState,
  type DesiredState,
  type GitOpsError,
  type JsonObject,
  label,
  type Plan,
  planByDiff,
  type PlanByDiffOptions,
  type PlanRequest,
  refKey,
  type Resource,
  type ResourceOptions,
  type ResourceRef,
  type RunCall,
  sameJson,
} from '@gitops-sdk/core'
import { assertAllowed, type NamespacePolicy } from '../declare/policy.ts'
import { attribute } from '../observe/attribute.ts'
import type { IsStranger } from '../observe/extras.ts'
import { seenOf, type Verified, verifiedText } from '../observe/observe.ts'
import { see } from '../observe/seen.ts'
import { inParallel } from '../client/parallel.ts'
import { cleared, type Inspection } from './inspect.ts'
import { itemKey, overlay } from './shape.ts'

/** What planning needs from the target. */
export interface Planning {
  readonly manager: string
  readonly namespaces: NamespacePolicy
  /** Kinds that are never pruned. */
  readonly protectedKinds: readonly string[]
  readonly verified: Verified
  readonly concurrency: number
  /** Present in strict mode. */
  readonly isStranger?: IsStranger | undefined
  /** Looks closely at one object. */
  readonly inspect: (declared: Resource, call: RunCall) => Promise<Inspection>
}

/**
 * Plans by comparing what the server says it would make of each declaration with what there is. Objects
 * that are known to be as they were left cost nothing; only the others are looked at.
 */
export async function planObjects(
  desired: DesiredState,
  actual: ActualState,
  request: PlanRequest,
  call: RunCall,
  planning: Planning,
): Promise<Plan> {
  const suspects =
    request.mode === 'destroy' ? [] : desired.resources.filter((each) => isSuspect(each, actual, request))
  const inspections = new Map<string, Inspection>()
  await inParallel(suspects, planning.concurrency, async (declared) => {
    inspections.set(refKey(declared.ref), await planning.inspect(declared, call))
  })
  const sharp = sharpen(desired, actual, request, inspections, planning)
  const options = optionsFor(desired, actual, inspections, planning)
  const plan = planByDiff(sharp.desired, sharp.actual, sharp.request, options)
  return { ...plan, warnings: [...plan.warnings, ...refusals(desired, inspections)] }
}

function isSuspect(declared: Resource, actual: ActualState, { application, only }: PlanRequest): boolean {
  const found = actual.resources.get(refKey(declared.ref))
  if (found === undefined || found.digest === declared.digest || declared.order?.hook !== undefined) return false
  if (found.owner !== undefined && found.owner !== application) return false
  return only === undefined || only.some((ref) => refKey(ref) === refKey(declared.ref))
}

interface Sharp {
  readonly desired: DesiredState
  readonly actual: ActualState
  readonly request: PlanRequest
}

/** Puts what was found in the place of what was only suspected. Digests stay those of the declarations. */
function sharpen(
  desired: DesiredState,
  actual: ActualState,
  request: PlanRequest,
  inspections: ReadonlyMap<string, Inspection>,
  planning: Planning,
): Sharp {
  if (inspections.size === 0) return { desired, actual, request }
  const bodyOf = (each: Resource, body: (inspection: Inspection) => JsonObject): Resource => {
    const inspection = inspections.get(refKey(each.ref))
    return inspection === undefined ? each : { ...each, body: body(inspection) }
  }
  const resources = new Map(actual.resources)
  for (const declared of desired.resources) {
    const key = refKey(declared.ref)
    const inspection = inspections.get(key)
    const found = resources.get(key)
    if (inspection !== undefined && found !== undefined)
      resources.set(key, closer(declared, found, inspection, planning))
  }
  const { previous } = request
  return {
    desired: { ...desired, resources: desired.resources.map((each) => bodyOf(each, ({ after }) => after)) },
    actual: { ...actual, resources },
    request:
      previous === undefined
        ? request
        : {
            ...request,
            previous: {
              ...previous,
              resources: previous.resources.map((each) =>
                bodyOf(each, ({ before, extras }) => overlay(cleared(before, extras), each.body) as JsonObject),
              ),
            },
          },
  }
}

function closer(
  declared: Resource,
  found: ActualResource,
  { live, before, after, immutable, refusal }: Inspection,
  { manager, verified, isStranger }: Planning,
): ActualResource {
  const actorOf = (pointer: string): ReturnType<typeof attribute> => attribute(live, pointer, manager)
  const same = !immutable && refusal === undefined && sameJson(before, after)
  const seen = seenOf(found)
  if (same && seen !== undefined) {
    const { apiVersion, kind } = seen
    const now = see(live, { apiVersion, kind }, { manager, judge: () => seen.health })
    verified.set(refKey(declared.ref), verifiedText(declared, now, isStranger))
  }
  return {
    ...found,
    // What is planned is planned against what was looked at, which may be newer than what was watched.
    version: String((live['metadata'] as JsonObject)['resourceVersion'] as string),
    body: before,
    actorOf,
    ...(same && { digest: declared.digest }),
    ...(declared.sensitive && { sensitive: declared.sensitive }),
  }
}

function optionsFor(
  desired: DesiredState,
  actual: ActualState,
  inspections: ReadonlyMap<string, Inspection>,
  planning: Planning,
): PlanByDiffOptions {
  const declaredUids = new Set(desired.resources.map(({ ref }) => actual.resources.get(refKey(ref))?.uid))
  const declared = new Set(desired.resources.map(({ ref }) => refKey(ref)))
  return {
    keyOf: itemKey,
    immutable: (ref) => inspections.get(refKey(ref))?.immutable === true,
    optionsOf: (found): ResourceOptions => {
      // The same object can be known by two names, when its kind moved to another group or changed its scope.
      const isDeclared = !declared.has(refKey(found.ref)) && found.uid !== undefined && declaredUids.has(found.uid)
      const kept = isDeclared || isProtected(found.ref, planning) || !isAllowed(found.ref, planning.namespaces)
      return { ...(kept && { prune: false }), ...seenOf(found)?.options }
    },
  }
}

function isProtected({ group, kind }: ResourceRef, { protectedKinds }: Planning): boolean {
  return protectedKinds.includes(kind) || protectedKinds.includes(`${group ?? ''}/${kind}`)
}

/** The inventory may be older than the policy, or may have been tampered with. */
function isAllowed(ref: ResourceRef, namespaces: NamespacePolicy): boolean {
  try {
    assertAllowed(ref, '', namespaces)
    return true
  } catch {
    return false
  }
}

function refusals(desired: DesiredState, inspections: ReadonlyMap<string, Inspection>): string[] {
  return desired.resources.flatMap(({ ref }) => {
    const refusal: GitOpsError | undefined = inspections.get(refKey(ref))?.refusal
    return refusal === undefined ? [] : [`The server would refuse ${label(ref)}: ${refusal.message}`]
  })
}
