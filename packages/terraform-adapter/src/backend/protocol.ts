import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { GitOpsError, type Json } from '@gitops-sdk/core'
import type { Grant } from './grant.ts'
import { type LeaseBook, releaseIfDead } from './lease.ts'

/** What the server says. */
export interface Answer {
  readonly status: number
  readonly body?: string | Uint8Array
}

/** Answers one request of the binary's `http` backend. */
export async function answer(grants: ReadonlyMap<string, Grant>, request: IncomingMessage): Promise<Answer> {
  const grant = grantOf(grants, request)
  // A run that lost its right is told so with what the binary takes for final.
  if (grant === undefined) return { status: 403, body: 'This run may no longer use the state.' }
  try {
    const body = await bodyOf(request)
    return await answerGranted(grant, request, body)
  } catch (error) {
    if (error instanceof GitOpsError && error.code === 'APPLY_CONFLICT') return { status: 409, body: error.message }
    return { status: 500, body: 'The state could not be read or written.' }
  }
}

async function answerGranted(grant: Grant, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const { method } = request
  if (method === 'GET') return readState(grant)
  if (method === 'POST') return writeState(grant, request, body)
  if (method === 'LOCK') return grant.leases.inTurn(() => lock(grant, body))
  if (method === 'UNLOCK') return grant.leases.inTurn(() => unlock(grant, body))
  return { status: 405 }
}

async function readState({ versions }: Grant): Promise<Answer> {
  const head = await versions.head()
  if (head === undefined) return { status: 204 }
  return { status: 200, body: await versions.read(head) }
}

async function writeState(
  { mode, versions, leases, run }: Grant,
  request: IncomingMessage,
  body: Buffer,
): Promise<Answer> {
  if (mode === 'read') return { status: 403, body: 'A run that plans may not write the state.' }
  const lease = await leases.read()
  const id = new URL(request.url ?? '/', 'http://localhost').searchParams.get('ID')
  if (lease === undefined || lease.run !== run || lease.lockId !== id) {
    return { status: 403, body: 'This run does not hold the lock of the state.' }
  }
  const md5 = request.headers['content-md5']
  if (md5 !== undefined && createHash('md5').update(body).digest('base64') !== md5) return { status: 400 }
  await versions.write(body)
  return { status: 200 }
}

async function lock({ leases, run, process }: Grant, body: Buffer): Promise<Answer> {
  const info = infoOf(body)
  if (info === undefined) return { status: 400 }
  if (!(await releaseIfDead(leases))) return locked(leases)
  await leases.write({ lockId: info.ID, run, info: { ...info }, ...(process && { process }) })
  return { status: 200 }
}

async function locked(leases: LeaseBook): Promise<Answer> {
  const lease = await leases.read()
  return { status: 423, body: JSON.stringify(lease?.info ?? {}) }
}

/** Only the holder unlocks, with its own id: `force-unlock` sends none, and is refused. */
async function unlock({ leases, run }: Grant, body: Buffer): Promise<Answer> {
  const lease = await leases.read()
  if (lease === undefined) return { status: 200 }
  if (lease.run !== run || infoOf(body)?.ID !== lease.lockId) return { status: 409, body: JSON.stringify(lease.info) }
  await leases.clear()
  return { status: 200 }
}

function infoOf(body: Buffer): ({ readonly ID: string } & { readonly [name: string]: Json }) | undefined {
  try {
    const info: unknown = JSON.parse(body.toString())
    const isInfo = typeof info === 'object' && info !== null && 'ID' in info && typeof info.ID === 'string'
    // It is plain JSON with an id.
    return isInfo ? (info as { readonly ID: string }) : undefined
  } catch {
    return undefined
  }
}

function grantOf(grants: ReadonlyMap<string, Grant>, { headers }: IncomingMessage): Grant | undefined {
  const [kind, digits = ''] = (headers.authorization ?? '').split(' ')
  if (kind !== 'Basic') return undefined
  const given = Buffer.from(digits, 'base64').toString()
  for (const [token, grant] of grants) if (isSame(given, `${grant.run}:${token}`)) return grant
  return undefined
}

function isSame(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
