import { join } from 'node:path'
import type { Owned } from '../../actual/inventory.ts'
import { refKey } from '../../desired/ref.ts'
import type { Logger } from '../../runtime/log.ts'
import { emptyRecord } from '../change.ts'
import type { LedgerRecord } from '../ledger.ts'
import { seal, unseal } from './envelope.ts'
import { type Files, codeOf } from './files.ts'
import { fileNameFor } from './names.ts'
import { corrupt } from './problems.ts'

/** The records of applications, one file each, with the copy before it beside it. */
export interface Records {
  read(application: string): Promise<StoredRecord>
  /** Replaces the record. Until the last rename the old one stands, after it the new one. */
  write(record: LedgerRecord, forgotten: boolean): Promise<void>
  /** Names of the applications that are not forgotten. */
  names(): Promise<readonly string[]>
}

/** A record, and whether it is only kept for its version. */
interface StoredRecord {
  readonly record: LedgerRecord
  readonly forgotten: boolean
}

/** What stands in a file: a record whose inventory is a list. */
interface Body extends Omit<LedgerRecord, 'inventory'> {
  readonly inventory: readonly Owned[]
  readonly forgotten?: boolean
}

const CURRENT = '.json'
const PREVIOUS = '.previous.json'
const NEXT = '.next.json'
const DAMAGED = '.damaged.json'

/** The records in `folder`. With `repair`, a damaged file is set aside under another name. */
export function openRecords(files: Files, folder: string, log: Logger, repair: boolean): Records {
  const pathOf = (name: string, suffix: string): string => join(folder, `${name}${suffix}`)

  const readFile = async (name: string): Promise<Body | undefined> => {
    const path = pathOf(name, CURRENT)
    const bytes = await files.read(path)
    // Missing while a copy exists: the process died between the two renames of `write`.
    if (bytes === undefined) return readPrevious(name)
    const opened = unseal(bytes, path)
    if ('content' in opened) return bodyFrom(opened.content)
    const previous = await readPrevious(name)
    if (previous === undefined) throw corrupt(path, opened.damage)
    log.error(
      `${path} ${opened.damage}. The copy before it is used (version ${previous.version} of ${previous.application}).`,
    )
    if (repair) await files.rename(path, pathOf(name, DAMAGED))
    return previous
  }
  const readPrevious = async (name: string): Promise<Body | undefined> => {
    const path = pathOf(name, PREVIOUS)
    const bytes = await files.read(path)
    if (bytes === undefined) return undefined
    const opened = unseal(bytes, path)
    if ('damage' in opened) throw corrupt(path, `${opened.damage}, and there is no newer copy that is good`)
    return bodyFrom(opened.content)
  }

  return {
    read: async (application) => {
      const body = await readFile(fileNameFor(application))
      return body === undefined ? { record: emptyRecord(application), forgotten: false } : recordFrom(body)
    },
    write: async (record, forgotten) => {
      const name = fileNameFor(record.application)
      await files.write(pathOf(name, NEXT), seal(bodyOf(record, forgotten)))
      await renameIfThere(files, pathOf(name, CURRENT), pathOf(name, PREVIOUS))
      await files.rename(pathOf(name, NEXT), pathOf(name, CURRENT))
      await files.syncFolder(folder)
    },
    names: async () => {
      const names = new Set((await files.list(folder)).flatMap(nameIn))
      const found: string[] = []
      for (const name of names) {
        const body = await readFile(name)
        if (body !== undefined && body.forgotten !== true) found.push(body.application)
      }
      return found.sort()
    },
  }
}

async function renameIfThere(files: Files, from: string, to: string): Promise<void> {
  try {
    await files.rename(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** The name of an application's file; nothing for a file that only stands beside one. */
function nameIn(file: string): readonly string[] {
  if (file.endsWith(NEXT) || file.endsWith(DAMAGED)) return []
  const suffix = [PREVIOUS, CURRENT].find((each) => file.endsWith(each))
  return suffix === undefined || !file.startsWith('app-') ? [] : [file.slice(0, -suffix.length)]
}

/** The checksum fits, so it is what this file wrote. */
function bodyFrom(content: unknown): Body {
  return content as Body
}

function bodyOf({ inventory, ...record }: LedgerRecord, forgotten: boolean): Body {
  return { ...record, inventory: [...inventory.values()], ...(forgotten && { forgotten }) }
}

function recordFrom({ inventory, forgotten = false, ...body }: Body): StoredRecord {
  const byKey = new Map(inventory.map((owned) => [refKey(owned.ref), owned]))
  return { record: { ...body, inventory: byKey }, forgotten }
}
