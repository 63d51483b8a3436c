import { resourcesByKey } from '../desired/by-key.ts'
import type { DesiredState, ResourceRef } from '../desired/desired.ts'
import { label } from '../desired/ref.ts'
import { type RunCall, throwIfAborted } from '../runtime/call.ts'
import { type GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import { asTheySettle, untilAborted } from '../runtime/settle.ts'
import type { ActualResource, ActualState } from './actual.ts'
import { actualState } from './build.ts'
import type { Inventory } from './inventory.ts'

/** Reads one resource. Resolves to `undefined` when it is not there; throws when that is not known. */
export type Read = (ref: ResourceRef, call: RunCall) => Promise<ActualResource | undefined>

/**
 * Observes a target resource by resource: everything that is declared or owned. A read that throws
 * makes that resource unknown, never missing. Rejects when the call is aborted.
 */
export async function observeEach(
  desired: DesiredState,
  owned: Inventory,
  call: RunCall,
  read: Read,
  { concurrency = 8 }: { readonly concurrency?: number } = {},
): Promise<ActualState> {
  throwIfAborted(call)
  const resources: ActualResource[] = []
  const unknown: { ref: ResourceRef; error: GitOpsError }[] = []
  const readOne = async (ref: ResourceRef): Promise<void> => {
    try {
      const found = await untilAborted(read(ref, call), call.signal)
      if (found !== undefined) resources.push(found)
    } catch (thrown) {
      unknown.push({ ref, error: toGitOpsError(thrown, `Reading ${label(ref)}`) })
    }
  }
  const refs = refsOf(desired, owned)
  let done = 0
  for await (const _ of asTheySettle(refs, concurrency, readOne)) {
    throwIfAborted(call)
    call.progress?.({ activity: 'reading', done: ++done, total: refs.length, unit: 'resources' })
  }
  return actualState({ resources, unknown, observedAt: call.clock.now() })
}

/** Everything that is declared or owned, each once. */
export function refsOf(desired: DesiredState, owned: Inventory): readonly ResourceRef[] {
  const declared = resourcesByKey(desired.resources)
  const refs = Array.from(declared.values(), ({ ref }) => ref)
  for (const [key, { ref }] of owned) if (!declared.has(key)) refs.push(ref)
  return refs
}
