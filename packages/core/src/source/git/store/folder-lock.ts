import { randomUUID } from 'node:crypto'
import { link, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Call, sleep } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import { type ProcessIdentity, describeSelf, lifeOf } from '../../../runtime/process-identity.ts'

const NAME = 'gitops.lock'
const RETRY_MS = 20
const GIVE_UP_MS = 30_000
/** A holder works for moments. One that cannot be asked and held on for this long has died. */
const STALE_MS = 60_000

/**
 * Runs `work` while no other process that uses this function on the same folder does. A holder on this machine that was
 * killed is replaced at once.
 */
export async function withFolderLock<T>(folder: string, call: Call, work: () => Promise<T>): Promise<T> {
  const path = join(folder, NAME)
  // Not from the call: two processes with the same seed must not take each other for themselves.
  const own = JSON.stringify({ token: randomUUID(), ...(await describeSelf()) })
  await acquire(path, own, call)
  try {
    return await work()
  } finally {
    if ((await readFile(path, 'utf8').catch(() => '')) === own) await rm(path, { force: true })
  }
}

/** Removes what processes that were killed while they took or left the lock put beside it. Asked for while it is held. */
export async function removeLockLeftovers(folder: string, call: Call): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (name.startsWith(`${NAME}.`) && (await isOld(path, call))) await rm(path, { force: true })
  }
}

async function acquire(path: string, own: string, call: Call): Promise<void> {
  const startedAt = call.clock.monotonic()
  while (!(await tryAcquire(path, own))) {
    if (await removeIfDead(path, call)) continue
    if (call.clock.monotonic() - startedAt > GIVE_UP_MS)
      throw new GitOpsError('DEADLINE_EXCEEDED', `Another process holds ${path} for more than ${GIVE_UP_MS} ms.`)
    await sleep(RETRY_MS, call)
  }
}

/** A link appears with its content or not at all, on every file system that several processes share. */
async function tryAcquire(path: string, own: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`
  await writeFile(aside, own, { flag: 'wx' })
  try {
    await link(aside, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(aside, { force: true })
  }
}

/**
 * Moved away before it is removed, so that only one of several that find it dead removes it; and put back when it is
 * another one by then.
 */
async function removeIfDead(path: string, call: Call): Promise<boolean> {
  const held = await readFile(path, 'utf8').catch(() => undefined)
  if (held === undefined || !(await isDead(path, held, call))) return false
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
    if ((await readFile(aside, 'utf8')) !== held) await link(aside, path).catch(() => {})
    await rm(aside, { force: true })
  } catch {
    return false
  }
  return true
}

async function isDead(path: string, held: string, call: Call): Promise<boolean> {
  const holder = parseHolder(held)
  if (holder !== undefined && (await lifeOf(holder)) === 'dead') return true
  return isOld(path, call)
}

async function isOld(path: string, call: Call): Promise<boolean> {
  const info = await stat(path).catch(() => undefined)
  return info !== undefined && call.clock.now() - info.mtimeMs >= STALE_MS
}

/** `undefined` for what somebody else put there. */
function parseHolder(text: string): ProcessIdentity | undefined {
  try {
    // What has a process number was written by `withFolderLock`, which gives it the rest.
    const holder = JSON.parse(text) as Partial<ProcessIdentity> | null
    return typeof holder?.pid === 'number' ? (holder as ProcessIdentity) : undefined
  } catch {
    return undefined
  }
}
