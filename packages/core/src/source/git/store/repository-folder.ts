import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Call } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import { isOid } from '../objects.ts'
import type { DecodedPack } from '../pack/decode.ts'
import { readIndexFile, writeIndexFile } from '../pack/index-file.ts'
import type { ChosenRef } from '../refs.ts'
import { createSlicer } from '../slice.ts'
import { withFolderLock } from './folder-lock.ts'
import { writeDurably } from './write-durably.ts'

/** What is remembered besides objects. */
export interface FolderState {
  /** Commits that are complete, the one used last first. */
  readonly kept: readonly string[]
  /** The commit in force, by what follows it. */
  readonly inForce: Readonly<Record<string, ChosenRef>>
}

/** A bare repository on disk that git can read too; safe to share between processes. */
export interface RepositoryFolder {
  /** Everything that is whole. What is damaged is moved out of the way and reported to the log. */
  load(call: Call): Promise<{ readonly packs: readonly DecodedPack[]; readonly state: FolderState }>
  /**
   * Adds `pack` and the state in one step. Gives `false`, without writing, when another process has
   * removed packs that this one builds on: then everything must be saved anew by `replace`.
   */
  add(pack: DecodedPack, known: readonly string[], state: FolderState, call: Call): Promise<boolean>
  /** Puts one pack in place of the packs `obsolete`. */
  replace(pack: DecodedPack, obsolete: readonly string[], state: FolderState, call: Call): Promise<void>
  saveState(state: FolderState, call: Call): Promise<void>
}

const emptyState: FolderState = { kept: [], inForce: {} }

/** Opens `folder`, which is made when it is not there. */
export function repositoryFolder(folder: string): RepositoryFolder {
  const packs = join(folder, 'objects', 'pack')
  return {
    load: async (call) => {
      await prepare(folder, packs)
      return { packs: await loadPacks(packs, call), state: await loadState(folder, call) }
    },
    add: (pack, known, state, call) =>
      withFolderLock(folder, call, async () => {
        const here = new Set(await packNames(packs))
        if (!known.every((name) => here.has(name))) return false
        await writePack(packs, pack)
        await writeState(folder, state, call)
        return true
      }),
    replace: (pack, obsolete, state, call) =>
      withFolderLock(folder, call, async () => {
        await writePack(packs, pack)
        await writeState(folder, state, call)
        for (const name of obsolete) if (name !== pack.checksum) await removePack(packs, name)
      }),
    saveState: (state, call) => withFolderLock(folder, call, () => writeState(folder, state, call)),
  }
}

async function prepare(folder: string, packs: string): Promise<void> {
  try {
    await mkdir(packs, { recursive: true, mode: 0o700 })
    await mkdir(join(folder, 'refs'), { recursive: true, mode: 0o700 })
    const there = await readdir(folder)
    if (!there.includes('HEAD')) await writeDurably(join(folder, 'HEAD'), 'ref: refs/heads/main\n')
    if (!there.includes('config'))
      await writeDurably(join(folder, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n')
  } catch (cause) {
    throw new GitOpsError('CONFIG_INVALID', `The storage folder ${folder} cannot be used.`, { cause })
  }
}

async function packNames(packs: string): Promise<readonly string[]> {
  const files = await readdir(packs)
  return files.flatMap((file) => /^pack-([0-9a-f]{40})\.idx$/.exec(file)?.[1] ?? [])
}

async function loadPacks(packs: string, call: Call): Promise<readonly DecodedPack[]> {
  const loaded: DecodedPack[] = []
  for (const name of await packNames(packs)) {
    try {
      loaded.push(await loadPack(packs, name, call))
    } catch (error) {
      if (!isDamage(error)) throw error
      call.log.warn('A kept pack is damaged. It is removed, and its content will be fetched again.', { pack: name })
      await removePack(packs, name)
    }
  }
  return loaded
}

/** Damage, or a pack that another process removed meanwhile. */
function isDamage(error: unknown): boolean {
  if (error instanceof GitOpsError) return error.code === 'SOURCE_CORRUPT'
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

async function loadPack(packs: string, name: string, call: Call): Promise<DecodedPack> {
  const bytes = await readFile(join(packs, `pack-${name}.pack`))
  const index = readIndexFile(await readFile(join(packs, `pack-${name}.idx`)), name)
  if ((await checksumOf(bytes, call)) !== name || bytes.toString('hex', bytes.length - 20) !== name)
    throw new GitOpsError('SOURCE_CORRUPT', `The kept pack ${name} is damaged.`)
  return { bytes, index, checksum: name }
}

async function checksumOf(bytes: Buffer, call: Call): Promise<string> {
  const slicer = createSlicer(call)
  const hash = createHash('sha1')
  const end = Math.max(0, bytes.length - 20)
  const step = 2 ** 22
  for (let at = 0; at < end; at += step) {
    hash.update(bytes.subarray(at, Math.min(end, at + step)))
    if (slicer.isFull(step)) await slicer.pause()
  }
  return hash.digest('hex')
}

async function writePack(packs: string, pack: DecodedPack): Promise<void> {
  const path = join(packs, `pack-${pack.checksum}`)
  await writeDurably(`${path}.pack`, pack.bytes)
  await writeDurably(`${path}.idx`, writeIndexFile(pack.index, pack.checksum))
}

async function removePack(packs: string, name: string): Promise<void> {
  await rm(join(packs, `pack-${name}.idx`), { force: true })
  await rm(join(packs, `pack-${name}.pack`), { force: true })
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
async function writeState(folder: string, state: FolderState, call: Call): Promise<void> {
  const before = await loadState(folder, call)
  const kept = [...new Set([...state.kept, ...before.kept])]
    .filter(isOid)
    .slice(0, Math.max(state.kept.length, before.kept.length))
  const body = `${JSON.stringify({ kept, inForce: { ...before.inForce, ...state.inForce } })}\n`
  await writeDurably(join(folder, STATE_FILE), `${sha256(body)}\n${body}`)
  await writeDurably(join(folder, 'shallow'), kept.map((oid) => `${oid}\n`).join(''))
  const refs = kept.toSorted().map((oid) => `${oid} refs/kept/${oid}\n`)
  await writeDurably(join(folder, 'packed-refs'), `# pack-refs with: peeled fully-peeled sorted \n${refs.join('')}`)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
