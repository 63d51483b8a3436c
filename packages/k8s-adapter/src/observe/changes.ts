import type { ActualChange, Call, ResourceRef } from '@gitops-sdk/core'
import { refKey } from '@gitops-sdk/core'
import type { ClusterCache } from './cache.ts'

/** Yields what changed and concerns the listener, each ref once until it is taken. Ends when the call is aborted. */
export async function* changes(
  cache: Pick<ClusterCache, 'listen'>,
  concerns: (ref: ResourceRef) => boolean,
  { signal }: Call,
): AsyncIterable<ActualChange> {
  const pending = new Map<string, ResourceRef>()
  let wake = (): void => {}
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort, { once: true })
  const stop = cache.listen((ref) => {
    if (!concerns(ref)) return
    pending.set(refKey(ref), ref)
    wake()
  })
  try {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => (wake = resolve))
      for (const [key, ref] of pending) {
        pending.delete(key)
        yield { ref }
      }
      if (pending.size === 0 && !signal.aborted) await woken
    }
  } finally {
    stop()
    signal.removeEventListener('abort', onAbort)
  }
}
