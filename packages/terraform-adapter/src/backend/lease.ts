import type { Json } from '@gitops-sdk/core'
import { type ProcessIdentity, lifeOf } from '../cli/identity.ts'
import type { BlobStore } from '../store/blobs.ts'

/** Who holds the lock of a state. */
interface Lease {
  /** The id the binary gave its lock. */
  readonly lockId: string
  /** The run it belongs to. */
  readonly run: string
  /** The process of that run, where it was started already. */
  readonly process?: ProcessIdentity
  /** What the binary said about itself, for whoever is refused. */
  readonly info: Json
}

/** The lock of one state, kept where a restart finds it. */
export interface LeaseBook {
  read(): Promise<Lease | undefined>
  write(lease: Lease): Promise<void>
  clear(): Promise<void>
  /** One after the other: two that ask at once are not both told that it is free. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
}

/** A lease in a blob. It is read each time: another process may have had its turn in between. */
export function leaseBook(blobs: BlobStore, prefix: string): LeaseBook {
  const name = `${prefix}/lease`
  let last: Promise<unknown> = Promise.resolve()
  return {
    read: async () => {
      const bytes = await blobs.get(name)
      // Written below, and authenticated where the store is sealed.
      return bytes && (JSON.parse(Buffer.from(bytes).toString()) as Lease)
    },
    // The power takes the process that holds it along.
    write: (lease) => blobs.put(name, Buffer.from(JSON.stringify(lease)), { fleeting: true }),
    clear: () => blobs.remove(name),
    inTurn: (work) => {
      const mine = last.then(work)
      last = mine.catch(() => {})
      return mine
    },
  }
}

/**
 * Gives up a lease whose process is proven dead; true when there is none afterwards. A lock that is merely old is
 * never taken away: its process may still write.
 */
export async function releaseIfDead(book: LeaseBook): Promise<boolean> {
  const lease = await book.read()
  if (lease === undefined) return true
  if (lease.process === undefined || lifeOf(lease.process) !== 'dead') return false
  await book.clear()
  return true
}
