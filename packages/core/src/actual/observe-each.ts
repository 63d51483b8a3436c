import { resourcesByKey } from '../desired/by-key.ts'
import type { DesiredState, ResourceRef } from '../desired/desired.ts'
import { label } from '../desired/ref.ts'
import { type RunCall, throwIfAborted } from '../runtime/call.ts'
import { type GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import { abortable, eachAtOnce } from '../runtime/settle.ts'
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
  const refs = refsOf(desired, owned)
  let done = 0
  const readOne = async (ref: ResourceRef): Promise<void> => {
    try {
      const found = await read(ref, call)
      if (found !== undefined) resources.push(found)
    } catch (thrown) {
      unknown.push({ ref, error: toGitOpsError(thrown, `Reading ${label(ref)}`) })
    }
    done++
    if (!call.signal.aborted) call.progress?.({ activity: 'reading', done, total: refs.length, unit: 'resources' })
  }
  const waits = abortable(call.signal)
  try {
    // Who no longer wants the answer waits for none of the reads, and gets none of what came.
    await waits.until(eachAtOnce(refs, concurrency, readOne, () => call.signal.aborted))
  } finally {
    waits.release()
  }
  throwIfAborted(call)
  return actualState({ resources, unknown, observedAt: call.clock.now() })
}

/** Everything that is declared or owned, each once. */
export function refsOf(desired: DesiredState, owned: Inventory): readonly ResourceRef[] {
  const declared = resourcesByKey(desired.resources)
  const refs = Array.from(declared.values(), ({ ref }) => ref)
  for (const [key, { ref }] of owned) if (!declared.has(key)) refs.push(ref)
  return refs
}
