import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Call, sleep } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'

const RETRY_MS = 20
const GIVE_UP_MS = 30_000
/** A holder works for moments. One that held on for this long has died. */
const STALE_MS = 60_000

/** Runs `work` while no other process that uses this function on the same folder does. */
export async function withFolderLock<T>(folder: string, call: Call, work: () => Promise<T>): Promise<T> {
  const path = join(folder, 'gitops.lock')
  const token = `${process.pid} ${randomUUID()}`
  await acquire(path, token, call)
  try {
    return await work()
  } finally {
    if ((await readFile(path, 'utf8').catch(() => '')) === token) await rm(path, { force: true })
  }
}

async function acquire(path: string, token: string, call: Call): Promise<void> {
  const startedAt = call.clock.monotonic()
  while (!(await tryAcquire(path, token))) {
    await removeIfStale(path, call)
    if (call.clock.monotonic() - startedAt > GIVE_UP_MS)
      throw new GitOpsError('DEADLINE_EXCEEDED', `Another process holds ${path} for more than ${GIVE_UP_MS} ms.`)
    await sleep(RETRY_MS, call)
  }
}

/** A link appears with its content or not at all, on every file system that several processes share. */
async function tryAcquire(path: string, token: string): Promise<boolean> {
  const own = `${path}.${randomUUID()}`
  await writeFile(own, token, { flag: 'wx' })
  try {
    await link(own, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(own, { force: true })
  }
}

/** Moved away before it is removed, so that only one of several that find it stale removes it. */
async function removeIfStale(path: string, call: Call): Promise<void> {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined || call.clock.now() - info.mtimeMs < STALE_MS) return
  const aside = `${path}.${randomUUID()}.stale`
  await rename(path, aside).then(
    () => rm(aside, { force: true }),
    () => {},
  )
}
