import type { Resource } from '../desired/desired.ts'
import { refKey } from '../desired/ref.ts'
import type { Comparison, Verdict } from './comparison.ts'
import { fieldsOfNew } from './fields.ts'
import { draftOf, isClaimedByAnother, unreadable } from './judge-declared.ts'

/** A hook runs once per reconcile: it is made anew, or applied again where its policy keeps the old one. */
export function judgeHook(hook: Resource, comparison: Comparison): Verdict {
  const key = refKey(hook.ref)
  const unread = comparison.actual.unknown.get(key)
  if (unread !== undefined) return { blocked: unreadable(hook.ref, unread) }
  const found = comparison.actual.resources.get(key)
  if (found !== undefined && isClaimedByAnother(found, comparison)) {
    const message = `The hook ${hook.ref.name} has the name of something that belongs to ${found.owner}. Rename the hook.`
    return { blocked: { ref: hook.ref, rule: 'owned-by-another', message } }
  }
  const policy = hook.order?.hook?.deletePolicy ?? ['BeforeHookCreation']
  const action = found === undefined ? 'create' : policy.includes('BeforeHookCreation') ? 'replace' : 'update'
  return { change: draftOf(hook, action, 'hook', fieldsOfNew(hook, comparison), found) }
}
