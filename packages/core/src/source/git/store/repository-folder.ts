import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Call } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import { OID_BYTES, isOid } from '../objects.ts'
import type { DecodedPack } from '../pack/decode.ts'
import { readIndexFile, writeIndexFile } from '../pack/index-file.ts'
import type { KeptPack } from '../pack/kept-pack.ts'
import type { ChosenRef } from '../refs.ts'
import { type FolderFiles, codeOf } from './folder-files.ts'
import { removeLockLeftovers, withFolderLock } from './folder-lock.ts'
import { type PackFiles, type PackPlace, packOnDisk, readExactly } from './pack-file.ts'
import { writeDurably } from './write-durably.ts'

/** What is remembered besides objects. */
export interface FolderState {
  /** Commits that are complete, the one used last first. */
  readonly kept: readonly string[]
  /** The commit in force, by what follows it. */
  readonly inForce: Readonly<Record<string, ChosenRef>>
}

/** Everything that a folder holds. */
interface FolderContent {
  readonly packs: readonly KeptPack[]
  readonly state: FolderState
}

/** A bare repository on disk that git can read too; safe to share between processes. */
export interface RepositoryFolder {
  /**
   * Everything that is whole: every byte of it is read and compared, except of `opened`, packs that were opened before
   * and are still there. What is damaged, or was left behind by a process that was killed, is removed and reported to
   * the log.
   */
  load(opened: readonly KeptPack[], call: Call): Promise<FolderContent>
  /**
   * Adds `pack` and the state in one step. Gives `undefined`, without writing, when another process has
   * removed packs that this one builds on: then what is here must be loaded anew.
   */
  add(pack: DecodedPack, known: readonly string[], state: FolderState, call: Call): Promise<KeptPack | undefined>
  /** Puts one pack in place of the packs `obsolete`. Gives `undefined`, as `add` does, when another process did so first. */
  replace(pack: DecodedPack, obsolete: readonly string[], state: FolderState, call: Call): Promise<KeptPack | undefined>
  /** Whether there are these packs, and no others. */
  holds(known: readonly string[]): Promise<boolean>
  saveState(state: FolderState, call: Call): Promise<void>
}

const emptyState: FolderState = { kept: [], inForce: {} }

/** Opens `folder`, which is made when it is not there. */
export function repositoryFolder(folder: string, reading: PackFiles): RepositoryFolder {
  const packs = join(folder, 'objects', 'pack')
  const { files } = reading
  const write = async (pack: DecodedPack, call: Call): Promise<KeptPack> => {
    await writePack(packs, pack, files, call)
    return packOnDisk(placeOf(packs, pack.checksum, pack.bytes.length), pack.index, reading)
  }
  return {
    load: async (opened, call) => {
      await prepare(folder, packs, files, call)
      try {
        if (await hasLeftovers(folder, packs))
          await withFolderLock(folder, call, () => removeLeftovers(folder, packs, call))
        return { packs: await loadPacks(packs, opened, reading, call), state: await loadState(folder, call) }
      } catch (error) {
        throw unreadable(folder, error)
      }
    },
    add: (pack, known, state, call) =>
      withFolderLock(folder, call, async () => {
        if (!(await holdsAll(packs, known))) return undefined
        const written = await write(pack, call)
        await writeState(folder, state, files, call)
        return written
      }),
    replace: (pack, obsolete, state, call) =>
      withFolderLock(folder, call, async () => {
        if (!(await holdsAll(packs, obsolete))) return undefined
        const written = await write(pack, call)
        await writeState(folder, state, files, call)
        for (const name of obsolete) if (name !== pack.checksum) await removePack(packs, name, call)
        return written
      }),
    holds: async (known) => {
      const names = await packNames(packs)
      return names.length === known.length && names.every((name) => known.includes(name))
    },
    saveState: (state, call) => withFolderLock(folder, call, () => writeState(folder, state, files, call)),
  }
}

async function prepare(folder: string, packs: string, files: FolderFiles, call: Call): Promise<void> {
  try {
    await mkdir(packs, { recursive: true, mode: 0o700 })
    await mkdir(join(folder, 'refs'), { recursive: true, mode: 0o700 })
    const there = await readdir(folder)
    const missing = [...firstFiles].filter(([name]) => !there.includes(name))
    if (missing.length === 0) return
    await withFolderLock(folder, call, async () => {
      for (const [name, content] of missing) await writeDurably(join(folder, name), content, files, call)
    })
  } catch (cause) {
    if (cause instanceof GitOpsError) throw cause
    throw new GitOpsError('CONFIG_INVALID', `The storage folder ${folder} cannot be used.`, { cause })
  }
}

/** What makes a folder a repository to git. */
const firstFiles: ReadonlyMap<string, string> = new Map([
  ['HEAD', 'ref: refs/heads/main\n'],
  ['config', '[core]\n\trepositoryformatversion = 0\n\tbare = true\n'],
])

async function holdsAll(packs: string, known: readonly string[]): Promise<boolean> {
  const here = new Set(await packNames(packs))
  return known.every((name) => here.has(name))
}

async function packNames(packs: string): Promise<readonly string[]> {
  const files = await readdir(packs).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  return files.flatMap((file) => /^pack-([0-9a-f]{40})\.idx$/.exec(file)?.[1] ?? [])
}

/** Parts that a killed process did not finish: half of a pair, and what was not given its name yet. */
async function leftovers(packs: string): Promise<readonly string[]> {
  const files = await readdir(packs)
  const there = new Set(files)
  return files.filter((file) => {
    const [, name, ending] = /^(pack-[0-9a-f]{40})\.(pack|idx)$/.exec(file) ?? []
    return name === undefined ? file.endsWith('.tmp') : !there.has(`${name}.${ending === 'idx' ? 'pack' : 'idx'}`)
  })
}

async function hasLeftovers(folder: string, packs: string): Promise<boolean> {
  const beside = (await readdir(folder)).some((name) => name.endsWith('.tmp') || name.startsWith('gitops.lock.'))
  return beside || (await leftovers(packs)).length > 0
}

/** Done while the folder is locked: only then is nobody just writing them. */
async function removeLeftovers(folder: string, packs: string, call: Call): Promise<void> {
  for (const file of await leftovers(packs)) {
    call.log.warn('A process was killed while it wrote to a storage folder. What it left is removed.', { file })
    await rm(join(packs, file), { force: true })
  }
  for (const file of await readdir(folder)) if (file.endsWith('.tmp')) await rm(join(folder, file), { force: true })
  await removeLockLeftovers(folder, call)
}

async function loadPacks(
  packs: string,
  opened: readonly KeptPack[],
  reading: PackFiles,
  call: Call,
): Promise<readonly KeptPack[]> {
  const loaded: KeptPack[] = []
  for (const name of await packNames(packs)) {
    try {
      const known = opened.find(({ checksum }) => checksum === name)
      loaded.push(known ?? (await loadPack(packs, name, reading)))
    } catch (error) {
      if (!isDamage(error)) throw error
      call.log.warn('A kept pack is damaged. It is removed, and its content will be fetched again.', { pack: name })
      await removePack(packs, name, call)
    }
  }
  return loaded
}

/** What the system does not let us read now may be read later. */
function unreadable(folder: string, cause: unknown): GitOpsError {
  if (cause instanceof GitOpsError) return cause
  const code = codeOf(cause) ?? 'unknown'
  return new GitOpsError('SOURCE_UNREACHABLE', `The storage folder ${folder} cannot be read now (${code}).`, {
    cause,
    details: { code },
  })
}

/** Damage, or a pack that another process removed meanwhile. */
function isDamage(error: unknown): boolean {
  if (error instanceof GitOpsError) return error.code === 'SOURCE_CORRUPT'
  return codeOf(error) === 'ENOENT'
}

async function loadPack(packs: string, name: string, reading: PackFiles): Promise<KeptPack> {
  const { path } = placeOf(packs, name, 0)
  const place = placeOf(packs, name, (await stat(path)).size)
  const index = readIndexFile(await readFile(path.replace(/pack$/, 'idx')), name)
  if (!(await isWhole(place, reading))) throw new GitOpsError('SOURCE_CORRUPT', `The kept pack ${name} is damaged.`)
  return packOnDisk(place, index, reading)
}

function placeOf(packs: string, checksum: string, sizeBytes: number): PackPlace {
  return { path: join(packs, `pack-${checksum}.pack`), checksum, sizeBytes }
}

const STEP_BYTES = 2 ** 20

/** Whether the pack is what its name says, which is the checksum of all of it. Holds one piece at a time. */
async function isWhole(place: PackPlace, { files }: PackFiles): Promise<boolean> {
  const end = place.sizeBytes - OID_BYTES
  if (end < 0) return false
  const hash = createHash('sha1')
  for (let at = 0; at < end; at += STEP_BYTES)
    hash.update(await readExactly(files, place, at, Math.min(end, at + STEP_BYTES)))
  const trailer = await readExactly(files, place, end, place.sizeBytes)
  return hash.digest('hex') === place.checksum && trailer.toString('hex') === place.checksum
}

async function writePack(packs: string, pack: DecodedPack, files: FolderFiles, call: Call): Promise<void> {
  const path = join(packs, `pack-${pack.checksum}`)
  await writeDurably(`${path}.pack`, pack.bytes, files, call)
  await writeDurably(`${path}.idx`, writeIndexFile(pack.index, pack.checksum), files, call)
}

/** The index first: what has none is removed by the next process that opens the folder. */
async function removePack(packs: string, name: string, call: Call): Promise<void> {
  try {
    await rm(join(packs, `pack-${name}.idx`), { force: true })
    await rm(join(packs, `pack-${name}.pack`), { force: true })
  } catch (error) {
    call.log.warn('A pack that is no longer needed cannot be removed yet.', { pack: name, code: codeOf(error) })
  }
}

const STATE_FILE = 'gitops-state.json'

async function loadState(folder: string, call: Call): Promise<FolderState> {
  const text = await readFile(join(folder, STATE_FILE), 'utf8').catch(() => undefined)
  if (text === undefined) return emptyState
  const state = parseState(text)
  if (state !== undefined) return state
  call.log.warn('The remembered state of a repository is damaged. It starts anew.', { folder })
  return emptyState
}

/** The first line is the checksum of the rest: a torn or edited file is not believed. */
function parseState(text: string): FolderState | undefined {
  const end = text.indexOf('\n')
  const body = text.slice(end + 1)
  if (end < 0 || text.slice(0, end) !== sha256(body)) return undefined
  // What was written under a true checksum has the shape that `writeState` gave it.
  return JSON.parse(body) as FolderState
}

/** What another process wrote meanwhile about refs that this one does not follow stays. */
async function writeState(folder: string, state: FolderState, files: FolderFiles, call: Call): Promise<void> {
  const before = await loadState(folder, call)
  const kept = [...new Set([...state.kept, ...before.kept])]
    .filter(isOid)
    .slice(0, Math.max(state.kept.length, before.kept.length))
  const body = `${JSON.stringify({ kept, inForce: { ...before.inForce, ...state.inForce } })}\n`
  await writeDurably(join(folder, STATE_FILE), `${sha256(body)}\n${body}`, files, call)
  await writeDurably(join(folder, 'shallow'), kept.map((oid) => `${oid}\n`).join(''), files, call)
  const refs = kept.toSorted().map((oid) => `${oid} refs/kept/${oid}\n`)
  await writeDurably(
    join(folder, 'packed-refs'),
    `# pack-refs with: peeled fully-peeled sorted \n${refs.join('')}`,
    files,
    call,
  )
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
