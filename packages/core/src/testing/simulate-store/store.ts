import type { Ledger } from '../../ledger/ledger.ts'
import type { Queue } from '../../queue/queue.ts'

/** A ledger with a queue. */
export type Store = Ledger & { readonly queue: Queue }

/** What a store has besides: a way back to an earlier moment. */
export interface Backups {
  /** How many writes a backup of now would hold. */
  backUp(): number
  /** A new store of the first `length` writes. */
  restoreTo(length: number): Promise<void>
}

/** Every write is kept with its time, so that a backup is all writes up to some moment. */
export function withBackups(make: () => Store, time: { nowMs: number }): Store & Backups {
  let store = make()
  let log: { readonly at: number; readonly write: (store: Store) => Promise<unknown> }[] = []
  const record = <T>(write: (store: Store) => Promise<T>): Promise<T> => {
    log.push({ at: time.nowMs, write })
    return write(store)
  }
  const restoreTo = async (length: number): Promise<void> => {
    const { nowMs } = time
    await store[Symbol.asyncDispose]?.()
    store = make()
    log = log.slice(0, length)
    for (const { at, write } of log) {
      time.nowMs = at
      await write(store).catch(() => {})
    }
    time.nowMs = nowMs
  }
  return { ...facade(() => store, record), backUp: () => log.length, restoreTo }
}

function facade(current: () => Store, record: <T>(write: (store: Store) => Promise<T>) => Promise<T>): Store {
  const queue: Queue = {
    enqueue: (wakes, call) => record((store) => store.queue.enqueue(wakes, call)),
    claim: (request, call) => record((store) => store.queue.claim(request, call)),
    extend: (claims, ms, call) => record((store) => store.queue.extend(claims, ms, call)),
    complete: (completions, call) => record((store) => store.queue.complete(completions, call)),
    release: (releases, call) => record((store) => store.queue.release(releases, call)),
    forget: (keys, call) => record((store) => store.queue.forget(keys, call)),
    afterRestore: (call) => record((store) => store.queue.afterRestore(call)),
    items: (query, call) => current().queue.items(query, call),
  }
  return {
    id: 'simulated',
    queue,
    read: (application, call) => current().read(application, call),
    commit: (application, change, call) => record((store) => store.commit(application, change, call)),
    applications: (call) => current().applications(call),
    history: (query, call) => current().history(query, call),
    audit: (query, call) => current().audit(query, call),
    installKey: (call) => current().installKey(call),
    [Symbol.asyncDispose]: async () => current()[Symbol.asyncDispose]?.(),
  }
}
