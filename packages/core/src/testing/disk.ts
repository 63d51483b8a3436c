import { dirname, join } from 'node:path'
import type { Files } from '../ledger/file/files.ts'

/** A disk in memory that can fail, and forget what had not reached it. For tests. */
export interface Disk {
  readonly files: Files
  /** Operations that were begun. */
  operations(): number
  /** From this operation on nothing works: it is not begun, half done, or done without anybody learning it. */
  dieAt(operation: number, moment: 'before' | 'during' | 'after'): void
  /** This one operation fails half-way with ENOSPC. */
  failOnceAt(operation: number): void
  /**
   * Works again. After the death of a `process` everything is as it was left. After a loss of power, of what
   * was created, renamed and removed in a folder since it was synced `none`, `some` (the first half) or `all` is kept.
   */
  restart(kept: 'process' | 'none' | 'some' | 'all'): void
}

/** Content that has reached the disk, shared by all names of a file. */
interface Content {
  bytes: Uint8Array
}

type Entries = Map<string, Content>
type Step = (entries: Entries) => void

/** An empty disk. */
export function createDisk(): Disk {
  let entries: Entries = new Map()
  let durable: Entries = new Map()
  let unsynced: { readonly folder: string; readonly step: Step }[] = []
  let count = 0
  let dead = false
  let death: { readonly operation: number; readonly moment: string } | undefined
  let failure: number | undefined

  const change = (folder: string, step: Step): void => {
    step(entries)
    unsynced.push({ folder, step })
  }
  const put = (path: string, bytes: Uint8Array): void => {
    const existing = entries.get(path)
    if (existing !== undefined) return void (existing.bytes = bytes)
    const content: Content = { bytes }
    change(dirname(path), (all) => all.set(path, content))
  }
  const half = (bytes: Uint8Array): Uint8Array => bytes.slice(0, Math.floor(bytes.byteLength / 2))
  const broken = (code: string): Error => Object.assign(new Error(code), { code })

  /** Does the operation, unless it is the one at which the disk dies or fails. */
  const operate = async <T>(whole: () => T, partly: () => void = () => {}): Promise<T> => {
    await Promise.resolve()
    if (dead) throw broken('EIO')
    count++
    if (count === failure) {
      failure = undefined
      partly()
      throw broken('ENOSPC')
    }
    if (count !== death?.operation) return whole()
    dead = true
    if (death.moment === 'after') whole()
    if (death.moment === 'during') partly()
    throw broken('EIO')
  }
  const bytesOf = (path: string): Uint8Array => entries.get(path)?.bytes ?? new Uint8Array()

  const files: Files = {
    read: (path) => operate(() => entries.get(path)?.bytes.slice()),
    write: (path, content) =>
      operate(
        () => put(path, content.slice()),
        () => put(path, half(content)),
      ),
    create: (path, content) => operate(() => !entries.has(path) && (put(path, content.slice()), true)),
    append: (path, content) =>
      operate(
        () => put(path, Buffer.concat([bytesOf(path), content])),
        () => put(path, Buffer.concat([bytesOf(path), half(content)])),
      ),
    truncate: (path, sizeBytes) => operate(() => put(path, bytesOf(path).slice(0, sizeBytes))),
    rename: (from, to) =>
      operate(() => {
        const content = entries.get(from)
        if (content === undefined) throw broken('ENOENT')
        change(dirname(from), (all) => {
          all.delete(from)
          all.set(to, content)
        })
      }),
    remove: (path) => operate(() => change(dirname(path), (all) => all.delete(path))),
    list: (folder) =>
      operate(() =>
        [...entries.keys()]
          .filter((path) => dirname(path) === folder)
          .map((path) => path.slice(join(folder, '/').length)),
      ),
    makeFolder: () => operate(() => {}),
    syncFolder: (folder) =>
      operate(() => {
        for (const each of unsynced) if (each.folder === folder) each.step(durable)
        unsynced = unsynced.filter((each) => each.folder !== folder)
      }),
  }

  return {
    files,
    operations: () => count,
    dieAt: (operation, moment) => {
      count = 0
      death = { operation, moment }
    },
    failOnceAt: (operation) => {
      failure = operation
    },
    restart: (kept) => {
      if (kept !== 'process') {
        const share = { none: 0, some: Math.ceil(unsynced.length / 2), all: unsynced.length }[kept]
        for (const { step } of unsynced.slice(0, share)) step(durable)
        entries = durable
      }
      durable = new Map(entries)
      unsynced = []
      dead = false
      death = undefined
      // The process is gone, but not its number in this test.
      for (const path of entries.keys()) if (path.endsWith('/lock')) entries.delete(path)
    },
  }
}
