import type { JsonObject } from '@gitops-sdk/core'
import { textOf } from '../client/json.ts'
import { groupKindKey } from '../declare/kinds.ts'
import { kindRules } from './kind-rules.ts'
import { conditionsOf, valueAt } from './read.ts'
import { current, failed, inProgress, type KStatus, type KStatusOptions, type RuleInput, unknown } from './rule.ts'

/**
 * The status of an object by the rules of kstatus, which kubectl, Flux and others share: being deleted,
 * generation not observed, `Reconciling` and `Stalled`, the rule of its kind, `Ready`, else current.
 *
 * Pure. A status of a shape that no controller writes is `Unknown`; it never throws.
 */
export function kstatus(object: JsonObject, options: KStatusOptions): KStatus {
  const deletion = valueAt(object, 'metadata.deletionTimestamp')
  if (deletion !== undefined && deletion !== null && deletion !== '')
    return { status: 'Terminating', reason: 'Terminating', message: 'Resource scheduled for deletion' }
  const generation = checkGeneration(object)
  if (generation !== undefined) return generation
  const conditions = conditionsOf(object)
  if ('malformed' in conditions) return unknown(conditions.malformed)
  const input: RuleInput = { ...options, object, conditions }
  return genericVerdict(input) ?? kindRules.get(groupKindKey(object))?.(input) ?? readyVerdict(input)
}

function checkGeneration(object: JsonObject): KStatus | undefined {
  const generation = valueAt(object, 'metadata.generation')
  const observed = valueAt(object, 'status.observedGeneration')
  if (generation === undefined || generation === null) return undefined
  if (!Number.isInteger(generation)) return unknown('metadata.generation is no integer')
  if (observed === undefined || observed === null) return undefined
  if (!Number.isInteger(observed)) return unknown('status.observedGeneration is no integer')
  if (generation === observed) return undefined
  const message = `${textOf(object['kind'])} generation is ${Number(generation)}, but latest observed generation is ${Number(observed)}`
  return inProgress('LatestGenerationNotObserved', message)
}

function genericVerdict({ conditions }: RuleInput): KStatus | undefined {
  for (const { type, status, reason, message } of conditions) {
    if (status !== 'True') continue
    if (type === 'Reconciling') return inProgress(reason, message)
    if (type === 'Stalled') return failed(reason, message)
  }
  return undefined
}

function readyVerdict({ conditions }: RuleInput): KStatus {
  for (const { type, status, reason, message } of conditions) {
    if (type !== 'Ready') continue
    if (status === 'True') return current('Resource is Ready')
    if (status === 'False' || status === 'Unknown') return inProgress(reason, message)
  }
  return current('Resource is current')
}
