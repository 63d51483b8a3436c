import { seededRandom } from '@gitops-sdk/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { identify } from '../cli/identity.ts'
import { memoryBlobs } from '../store/blobs.ts'
import { leaseBook } from './lease.ts'
import { type StateServer, stateServer } from './managed.ts'
import { emptyState } from './state.ts'
import { type StateVersions, stateVersions } from './versions.ts'

let server: StateServer
let versions: StateVersions
let leases: ReturnType<typeof leaseBook>
const blobs = memoryBlobs()

beforeEach(async () => {
  server = stateServer()
  for (const name of await blobs.list('a/')) await blobs.remove(name)
  versions = stateVersions(blobs, 'a', 3)
  leases = leaseBook(blobs, 'a')
})
afterEach(() => server[Symbol.asyncDispose]())

type Send = (method: string, body?: object | string, query?: string) => Promise<number>

/** Speaks to the server as the binary does, with the environment of a grant. */
async function client(
  run: string,
  mode: 'read' | 'write',
): Promise<Send & { revoke(): void; usedBy(pid: number): Promise<void> }> {
  const grant = await server.grant({ run, mode, versions, leases })
  const { TF_HTTP_ADDRESS, TF_HTTP_USERNAME, TF_HTTP_PASSWORD } = grant.environment
  const authorization = `Basic ${Buffer.from(`${TF_HTTP_USERNAME}:${TF_HTTP_PASSWORD}`).toString('base64')}`
  const send: Send = async (method, body, query = '') => {
    const text = typeof body === 'object' ? JSON.stringify(body) : body
    const response = await fetch(`${TF_HTTP_ADDRESS}${query}`, {
      method,
      headers: { authorization },
      ...(text !== undefined && { body: text }),
    })
    return response.status
  }
  return Object.assign(send, {
    revoke: () => grant.revoke(),
    usedBy: (pid: number) => grant.usedBy({ ...identify(process.pid), pid }),
  })
}

const state = (serial: number, lineage = 'one'): object => ({ version: 4, serial, lineage })
/** No process has this number. */
const nobody = 2 ** 22 + 1

test('[H1] a state is locked, read, written under its lock, and unlocked', async () => {
  const send = await client('r1', 'write')
  expect(await send('LOCK', { ID: 'l1' })).toBe(200)
  expect(await send('GET')).toBe(204)
  expect(await send('POST', state(1), '?ID=l1')).toBe(200)
  expect(await send('GET')).toBe(200)
  expect(await send('UNLOCK', { ID: 'l1' })).toBe(200)
  expect(await leases.read()).toBeUndefined()
})

test('[H6] a run that plans may lock and read, and not write', async () => {
  const send = await client('r1', 'read')
  expect(await send('LOCK', { ID: 'l1' })).toBe(200)
  expect(await send('POST', state(1), '?ID=l1')).toBe(403)
  expect(await versions.head()).toBeUndefined()
})

test('[H3] a run that lost its right is refused everything', async () => {
  const send = await client('r1', 'write')
  await send('LOCK', { ID: 'l1' })
  send.revoke()
  expect(await send('POST', state(1), '?ID=l1')).toBe(403)
  expect(await versions.head()).toBeUndefined()
})

test('[H5] an older serial and another lineage replace nothing', async () => {
  const send = await client('r1', 'write')
  await send('LOCK', { ID: 'l1' })
  await send('POST', state(4), '?ID=l1')
  expect(await send('POST', state(2), '?ID=l1')).toBe(409)
  expect(await send('POST', state(9, 'two'), '?ID=l1')).toBe(409)
  expect(await versions.head()).toMatchObject({ lineage: 'one', serial: 4 })
})

test('a write without the lock, or with the lock of another run, is refused', async () => {
  const [first, second] = [await client('r1', 'write'), await client('r2', 'write')]
  expect(await first('POST', state(1), '?ID=l1')).toBe(403)
  await first('LOCK', { ID: 'l1' })
  expect(await second('POST', state(1), '?ID=l1')).toBe(403)
})

test('[H7] a lock is given up by its holder alone; a forced unlock, which names none, is refused', async () => {
  const [first, second] = [await client('r1', 'write'), await client('r2', 'write')]
  await first('LOCK', { ID: 'l1', Who: 'ada' })
  expect(await second('LOCK', { ID: 'l2' })).toBe(423)
  expect(await second('UNLOCK', { ID: 'l1' })).toBe(409)
  expect(await first('UNLOCK', '')).toBe(409)
  expect(await leases.read()).toMatchObject({ run: 'r1' })
})

test('two that lock at once are not both told that it is free', async () => {
  const clients = await Promise.all(['r1', 'r2', 'r3'].map((run) => client(run, 'write')))
  const answers = await Promise.all(clients.map((send, index) => send('LOCK', { ID: `l${index}` })))
  expect(answers.toSorted((a, b) => a - b)).toEqual([200, 423, 423])
})

test('[H2] a lock goes with its process once that is proven dead, and not a moment earlier', async () => {
  const [first, second] = [await client('r1', 'write'), await client('r2', 'write')]
  await first.usedBy(process.pid)
  await first('LOCK', { ID: 'l1' })
  expect(await second('LOCK', { ID: 'l2' })).toBe(423)
  await first.usedBy(nobody)
  expect(await second('LOCK', { ID: 'l2' })).toBe(200)
})

test('a lock outlives the server, and the process that holds it is still known', async () => {
  const send = await client('r1', 'write')
  await send.usedBy(process.pid)
  await send('LOCK', { ID: 'l1' })
  const after = leaseBook(blobs, 'a')
  expect(await after.read()).toMatchObject({ run: 'r1', lockId: 'l1', process: { pid: process.pid } })
})

test('every version is kept, the oldest are forgotten, and the newest is found after a restart', async () => {
  for (const serial of [1, 2, 3, 4, 5]) await versions.write(Buffer.from(JSON.stringify(state(serial))))
  expect((await versions.list()).map(({ serial }) => serial)).toEqual([3, 4, 5])
  expect(await stateVersions(blobs, 'a', 3).head()).toMatchObject({ serial: 5 })
})

test('whoever has no token, or something that is no state, is refused', async () => {
  const send = await client('r1', 'write')
  await send('LOCK', { ID: 'l1' })
  expect(await send('POST', 'not a state', '?ID=l1')).toBe(500)
  expect(await send('LOCK', 'nonsense')).toBe(400)
  expect(await send('PATCH')).toBe(405)
  const { environment } = await server.grant({ run: 'r2', mode: 'write', versions, leases })
  expect((await fetch(environment['TF_HTTP_ADDRESS']!)).status).toBe(403)
})

test('the first state of a lineage is one of its own', () => {
  const lineages = [1, 2].map(
    (seed) => JSON.parse(Buffer.from(emptyState(seededRandom(seed))).toString()) as { lineage: string },
  )
  expect(lineages[0]?.lineage).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
  expect(lineages[0]?.lineage).not.toBe(lineages[1]?.lineage)
})
