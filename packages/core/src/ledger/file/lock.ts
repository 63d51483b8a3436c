import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type Call, sleep } from '../../runtime/call.ts'
import type { Clock, Timer } from '../../runtime/clock.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { type ProcessIdentity, describeSelf, lifeOf } from '../../runtime/process-identity.ts'
import { type Files, codeOf } from './files.ts'

/** The right to write in a folder: one process at a time. */
export interface Lock extends AsyncDisposable {
  /** Throws `LEDGER_FENCED` when another process took the folder over, which happens only after this one stood still. */
  assertHeld(): Promise<void>
}

/** Who holds a lock. */
interface Holder extends ProcessIdentity {
  readonly token: string
  /** Rises while the holder lives. */
  readonly beat: number
}

const NAME = 'lock'

/**
 * Takes the lock of `folder`. A holder on this machine that is dead is replaced at once. One that cannot
 * be asked, on another machine or in another container, is replaced when its beat stands still for
 * `leaseMs`. One that lives is respected: `LEDGER_UNAVAILABLE` names it.
 */
export async function takeLock(files: Files, folder: string, leaseMs: number, call: Call): Promise<Lock> {
  const path = join(folder, NAME)
  // Not from the call: two processes with the same seed must not take each other for themselves.
  const me: Holder = { token: randomUUID(), ...(await describeSelf()), beat: 0 }
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await files.create(path, encode(me))) return hold(files, path, me, leaseMs, call.clock)
    const holder = await readHolder(files, path)
    if (holder === undefined) continue
    if (await isAlive(files, path, holder, leaseMs, call)) throw taken(path, holder)
    await replace(files, path, holder, me)
  }
  throw taken(path, await readHolder(files, path))
}

function hold(files: Files, path: string, me: Holder, leaseMs: number, clock: Clock): Lock {
  let beat = 0
  let timer: Timer | undefined
  let beating: Promise<void> = Promise.resolve()
  let released = false
  const isMine = async (): Promise<boolean> => (await readHolder(files, path))?.token === me.token
  const beatOnce = async (): Promise<void> => {
    if (released || !(await isMine())) return
    const next = `${path}.${me.token}.next`
    await files.write(next, encode({ ...me, beat: ++beat }))
    await files.rename(next, path)
  }
  const wait = (): void => {
    timer = clock.setTimer(leaseMs / 3, () => {
      // A beat that cannot be written is tried again with the next one, and every commit asks for itself.
      beating = beatOnce().catch(() => {})
      wait()
    })
    timer.detach?.()
  }
  wait()
  return {
    assertHeld: async () => {
      if (!(await isMine()))
        throw new GitOpsError('LEDGER_FENCED', `Another process took over ${path}. This one writes no more.`)
    },
    [Symbol.asyncDispose]: async () => {
      timer?.cancel()
      if (released) return
      released = true
      await beating
      if (await isMine()) await files.remove(path)
    },
  }
}

/** Moves a dead holder's lock away; if somebody else was faster, theirs is put back. */
async function replace(files: Files, path: string, dead: Holder, me: Holder): Promise<void> {
  const aside = `${path}.${me.token}`
  try {
    await files.rename(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  const moved = await readHolder(files, aside)
  if (moved?.token === dead.token) return files.remove(aside)
  await files.rename(aside, path)
}

async function isAlive(files: Files, path: string, holder: Holder, leaseMs: number, call: Call): Promise<boolean> {
  const life = await lifeOf(holder)
  if (life !== 'unknown') return life === 'alive'
  await sleep(leaseMs, call)
  const later = await readHolder(files, path)
  return later !== undefined && (later.token !== holder.token || later.beat !== holder.beat)
}

function encode(holder: Holder): Uint8Array {
  return Buffer.from(`${JSON.stringify(holder)}\n`)
}

/** Absent when there is no lock. One that cannot be read was cut off by a crash: its holder is nobody, and never beats. */
async function readHolder(files: Files, path: string): Promise<Holder | undefined> {
  const bytes = await files.read(path)
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return { token: '', pid: 0, host: '', boot: '', space: '', start: '', beat: 0 }
  }
}

function taken(path: string, holder: Holder | undefined): GitOpsError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`
  const message = `${path} is held by ${who}, which is alive. Stop it, or give this one a folder of its own. To share a ledger between processes use SQLite or PostgreSQL.`
  return new GitOpsError('LEDGER_UNAVAILABLE', message, { details: { pid: holder?.pid, host: holder?.host } })
}
