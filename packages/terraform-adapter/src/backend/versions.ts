import { createHash } from 'node:crypto'
import { GitOpsError } from '@gitops-sdk/core'
import type { BlobStore } from '../store/blobs.ts'
import { parseState } from './state.ts'

/** One version of a state that is kept. */
interface StateVersion {
  readonly lineage: string
  readonly serial: number
  /** The blob that holds it. */
  readonly name: string
}

/** The state of one application in all its versions. */
export interface StateVersions {
  /** The newest one. Absent when nothing was ever written. */
  head(): Promise<StateVersion | undefined>
  read(version: StateVersion): Promise<Uint8Array>
  /** From the oldest to the newest. */
  list(): Promise<readonly StateVersion[]>
  /** Writes a newer state. Throws `APPLY_CONFLICT` for another lineage or an older serial: neither ever replaces a newer one. */
  write(bytes: Uint8Array): Promise<StateVersion>
}

/** Versions in a blob store. Which is the newest is read each time: another process may have had its turn in between. */
export function stateVersions(blobs: BlobStore, prefix: string, keep: number): StateVersions {
  const headName = `${prefix}/head`

  const head = async (): Promise<StateVersion | undefined> => {
    const bytes = await blobs.get(headName)
    // Written below, and authenticated where the store is sealed.
    return bytes && (JSON.parse(Buffer.from(bytes).toString()) as StateVersion)
  }

  const read = async ({ name, serial }: StateVersion): Promise<Uint8Array> => {
    const bytes = await blobs.get(name)
    if (bytes !== undefined) return bytes
    throw new GitOpsError(
      'LEDGER_CORRUPT',
      `Version ${serial} of the state (${name}) is gone from the store. Restore it.`,
    )
  }

  const write = async (bytes: Uint8Array): Promise<StateVersion> => {
    const { lineage, serial } = parseState(bytes, 'What was to be written')
    const before = await head()
    const version = { lineage, serial, name: nameOf(prefix, serial, bytes) }
    if (before !== undefined && before.name === version.name) return before
    if (before !== undefined) refuseOlder(before, version)
    await blobs.put(version.name, bytes)
    await blobs.put(headName, Buffer.from(JSON.stringify(version)))
    await forgetOldest(blobs, prefix, keep)
    return version
  }

  const list = async (): Promise<readonly StateVersion[]> => {
    const current = await head()
    const names = await blobs.list(`${prefix}/v`)
    return names.map((name) => ({ lineage: current?.lineage ?? '', serial: serialOf(name), name }))
  }
  return { head, read, write, list }
}

function refuseOlder(before: StateVersion, version: StateVersion): void {
  if (before.lineage !== version.lineage) {
    const message = `A state of another lineage (${version.lineage}) may not replace the one of lineage ${before.lineage}.`
    throw new GitOpsError('APPLY_CONFLICT', message)
  }
  if (version.serial > before.serial) return
  const message = `A state with serial ${version.serial} may not replace the one with serial ${before.serial}.`
  throw new GitOpsError('APPLY_CONFLICT', message)
}

function nameOf(prefix: string, serial: number, bytes: Uint8Array): string {
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  return `${prefix}/v${String(serial).padStart(10, '0')}-${digest}`
}

function serialOf(name: string): number {
  return Number(/v(\d+)-[^/]*$/.exec(name)?.[1] ?? 0)
}

async function forgetOldest(blobs: BlobStore, prefix: string, keep: number): Promise<void> {
  const names = await blobs.list(`${prefix}/v`)
  for (const name of names.slice(0, Math.max(0, names.length - keep))) await blobs.remove(name)
}
