import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Call, sleep } from '@gitops-sdk/core'
import { type ProcessIdentity, identify, lifeOf } from '../cli/identity.ts'
import { whenAbsent } from '../store/blobs.ts'

const LOOK_MS = 50

/**
 * Runs `work` while nobody else on this machine fills the cache: the binary itself does not guard it. Without a cache
 * there is nothing to wait for.
 */
export async function withProviderCache<T>(cache: string | undefined, call: Call, work: () => Promise<T>): Promise<T> {
  if (cache === undefined) return work()
  await mkdir(cache, { recursive: true, mode: 0o700 })
  const path = join(cache, '.gitops-lock')
  while (!(await take(path))) await sleep(LOOK_MS, call)
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(JSON.stringify(identify(process.pid)))
    await file.close()
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    await removeIfDead(path)
    return false
  }
}

/** Moves the lock of a dead holder aside. If somebody else did so and took it in the meantime, theirs is put back. */
async function removeIfDead(path: string): Promise<void> {
  if (!(await isDead(path))) return
  const aside = `${path}.${randomUUID()}`
  await rename(path, aside).catch(whenAbsent(undefined))
  if (!(await isDead(aside))) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

async function isDead(path: string): Promise<boolean> {
  const holder = parseHolder(await readFile(path, 'utf8').catch(whenAbsent('')))
  return holder !== undefined && lifeOf(holder) === 'dead'
}

/** Absent while its holder is still writing it. */
function parseHolder(text: string): ProcessIdentity | undefined {
  try {
    // Written above.
    return JSON.parse(text) as ProcessIdentity
  } catch {
    return undefined
  }
}
