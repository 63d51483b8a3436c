import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { systemClock } from '../../runtime/clock.ts'
import { type Fault, type GitServer, type ServedRequest, startGitServer } from '../../testing/git/git-server.ts'
import { gitSource } from './source.ts'

let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server.close())
const call = createCall()
const retry = { baseDelayMs: 1 }
/** A call whose time goes a hundred times as fast, for what is meant to run into a deadline. */
const impatient = createCall({
  clock: {
    ...systemClock,
    monotonic: () => systemClock.monotonic() * 100,
    setTimer: (delayMs, run) => systemClock.setTimer(delayMs / 100, run),
  },
})
let count = 0

const isFetch = ({ body }: ServedRequest): boolean => body.includes('command=fetch')
const isPoll = ({ body }: ServedRequest): boolean => body.includes('command=ls-refs')

/** Where the fault strikes, what it is, the code it must give. */
const faults: readonly [string, (request: ServedRequest) => boolean, Fault, string][] = [
  [
    'the pack ends cleanly between two packets',
    isFetch,
    { kind: 'rewrite', rewrite: cutBetweenPackets },
    'SOURCE_PROTOCOL',
  ],
  ['the pack ends inside a packet', isFetch, { kind: 'truncate', afterBytes: 500 }, 'SOURCE_PROTOCOL'],
  ['the connection breaks in the pack', isFetch, { kind: 'reset', afterBytes: 500 }, 'SOURCE_UNREACHABLE'],
  ['a byte of the pack is flipped', isFetch, { kind: 'flip', atByte: 700 }, 'SOURCE_CORRUPT'],
  [
    'the server reports a fatal error in the pack',
    isFetch,
    { kind: 'rewrite', rewrite: withFatalError },
    'SOURCE_PROTOCOL',
  ],
  ['the server stalls in the pack', isFetch, { kind: 'stall', afterBytes: 500 }, 'DEADLINE_EXCEEDED'],
  ['the server never begins to answer', isPoll, { kind: 'stall', afterBytes: 0 }, 'DEADLINE_EXCEEDED'],
  [
    'the list of refs is cut off',
    isPoll,
    { kind: 'rewrite', rewrite: (body) => body.subarray(0, -4) },
    'SOURCE_PROTOCOL',
  ],
  ['the list of refs is empty', isPoll, { kind: 'rewrite', rewrite: () => Buffer.from('0000') }, 'REVISION_REWRITTEN'],
  ['a page of HTML answers the poll', isPoll, html('text/html'), 'SOURCE_PROTOCOL'],
  ['a page of HTML claims to be git', isPoll, html('application/x-git-upload-pack-result'), 'SOURCE_PROTOCOL'],
  ['the server refuses the credentials', isPoll, { kind: 'status', status: 401 }, 'SOURCE_AUTH'],
  ['the server forbids', isPoll, { kind: 'status', status: 403 }, 'SOURCE_AUTH'],
  ['the repository is hidden', isPoll, { kind: 'status', status: 404 }, 'SOURCE_NOT_FOUND'],
  ['the server is down behind its proxy', isPoll, { kind: 'status', status: 502 }, 'SOURCE_UNREACHABLE'],
  [
    'the server asks to wait',
    isPoll,
    { kind: 'status', status: 429, headers: { 'Retry-After': '3600' } },
    'SOURCE_THROTTLED',
  ],
]

test.each(faults)(
  '%s: a typed error, the last good revision stays readable, and the next poll goes on',
  async (_what, where, fault, code) => {
    const repository = await server.createRepository(`faults-${count++}`)
    const text = Array.from({ length: 300 }, (_, line) => `line ${line} ${Math.sin(line)}`).join('\n')
    const first = await repository.commit({ file: text, other: 'same' })
    await using source = gitSource({ url: repository.url, ref: 'main', retry })
    const good = await source.resolve(call)
    const second = await repository.commit({ file: text.toUpperCase(), new: text.split('').toReversed().join('') })
    server.fail((request) => (where(request) ? fault : undefined))
    const polling = source.resolve(fault.kind === 'stall' ? impatient : call)
    await expect(polling).rejects.toMatchObject({ code })
    server.fail(undefined)
    const snapshot = await source.snapshot(good, call)
    expect(Buffer.from(await snapshot.read('file', call)).toString()).toBe(text)
    expect(good.id).toBe(first)
    if (code === 'SOURCE_THROTTLED')
      return expect(source.resolve(call)).rejects.toMatchObject({ code, retryAfterMs: expect.any(Number) })
    const next = await source.resolve(call)
    expect(next.id).toBe(second)
    expect(Buffer.from(await (await source.snapshot(next, call)).read('file', call)).toString()).toBe(
      text.toUpperCase(),
    )
  },
)

test('a server that sends a byte at a time, and never falls silent, is given up when its time is over', async () => {
  const dripping = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' })
    response.write('001e# service=git-upload-pack\n0000fff0')
    const drip = setInterval(() => response.write('x'), 10)
    response.on('close', () => clearInterval(drip))
  })
  await new Promise<void>((resolve) => void dripping.listen(0, '127.0.0.1', resolve))
  const { port } = dripping.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/slow`
  await using source = gitSource({ url, ref: 'main', retry: { maxAttempts: 1 }, timeouts: { totalMs: 60_000 } })
  await expect(source.resolve(impatient)).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: expect.stringContaining('whole answer'),
  })
  dripping.closeAllConnections()
  await new Promise((resolve) => dripping.close(resolve))
})

test('what passes by itself is tried again within the call', async () => {
  const repository = await server.createRepository(`faults-${count++}`)
  await repository.commit({ a: '1' })
  await using source = gitSource({ url: repository.url, ref: 'main', retry })
  let failures = 2
  server.fail(() => (failures-- > 0 ? { kind: 'status', status: 503 } : undefined))
  await expect(source.resolve(call)).resolves.toMatchObject({ name: 'main' })
  server.fail(undefined)
})

test('a hundred thousand refs are refused in the old protocol, and cost nothing in the new one', async () => {
  const repository = await server.createRepository(`faults-${count++}`)
  const commit = await repository.commit({ a: '1' })
  const lines = Array.from({ length: 100_000 }, (_, at) => `${commit} refs/heads/branch-${at}`)
  await writeFile(
    `${repository.folder}/packed-refs`,
    `# pack-refs with: peeled fully-peeled sorted \n${lines.toSorted().join('\n')}\n`,
  )
  await using old = gitSource({ url: repository.url, ref: 'main', protocol: 0 })
  await expect(old.resolve(call)).rejects.toMatchObject({ code: 'SOURCE_LIMIT', details: { limit: 'maxRefs' } })
  await using current = gitSource({ url: repository.url, ref: 'main' })
  const before = server.requests.length
  await expect(current.resolve(call)).resolves.toMatchObject({ id: commit })
  const sentBytes = server.requests.slice(before).reduce((sum, request) => sum + request.sentBytes, 0)
  expect(sentBytes).toBeLessThan(10_000)
})

test('an abort ends a stalled fetch at once, and does not disturb another who waits for the same', async () => {
  const repository = await server.createRepository(`faults-${count++}`)
  const commit = await repository.commit({ a: '1' })
  await using source = gitSource({ url: repository.url, ref: commit })
  let open = (): void => {}
  const until = new Promise<void>((resolve) => (open = resolve))
  server.fail((request) => (isFetch(request) ? { kind: 'delay', until } : undefined))
  const leaving = new AbortController()
  const one = source.resolve({ ...call, signal: leaving.signal })
  const two = source.resolve(call)
  leaving.abort(new Error('enough'))
  await expect(one).rejects.toMatchObject({ code: 'CANCELLED' })
  open()
  await expect(two).resolves.toMatchObject({ id: commit })
  server.fail(undefined)
})

function html(type: string): Fault {
  return {
    kind: 'status',
    status: 200,
    headers: { 'Content-Type': type },
    body: '<!DOCTYPE html><html>Please log in</html>',
  }
}

/** The first packets of the answer, up to half of its bytes. */
function cutBetweenPackets(body: Buffer): Buffer {
  let at = 0
  while (at < body.length) {
    const size = Math.max(4, Number.parseInt(body.toString('latin1', at, at + 4), 16))
    if (body.toString('latin1', at + 4, at + 12) === 'packfile')
      return Buffer.concat([body.subarray(0, at + size), splitSideband(body.subarray(at + size))])
    at += size
  }
  return body
}

/** The first half of the first packet of the pack, as a packet of its own. */
function splitSideband(rest: Buffer): Buffer {
  const size = Number.parseInt(rest.toString('latin1', 0, 4), 16)
  const half = rest.subarray(4, 4 + Math.floor((size - 4) / 2))
  return Buffer.concat([Buffer.from((half.length + 4).toString(16).padStart(4, '0')), half])
}

function withFatalError(body: Buffer): Buffer {
  const text = '\u0003fatal: out of memory\n'
  return Buffer.concat([cutBetweenPackets(body), Buffer.from((text.length + 4).toString(16).padStart(4, '0') + text)])
}
