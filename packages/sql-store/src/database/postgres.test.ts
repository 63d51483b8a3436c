import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { createCall } from '@gitops-sdk/core'
import { manualClock } from '@gitops-sdk/core/testing'
import { expect, test } from 'vitest'
import { openPostgres } from './postgres.ts'

test('a server that dies with its answer fails the next statement, not the process', async () => {
  await using server = await fakeServer([nothingFound, ready, fatal])
  await using database = openPostgres({ url: server.url, user: 'gitops', connections: 1, hints: false })
  const call = createCall()
  const answered = database.query('SELECT 1', [], call)
  const next = database.transaction((query) => query('SELECT 2', []), call)
  await expect(answered).resolves.toEqual([])
  await expect(next).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
})

test('what becomes due right after a hint is hinted as well, once', async () => {
  await using server = await fakeServer([nothingFound, ready])
  await using database = openPostgres({ url: server.url, user: 'gitops', connections: 1 })
  const clock = manualClock()
  const call = createCall({ clock })
  for (let index = 0; index < 3; index++) database.hint?.(call)
  await clock.advance(99)
  await database.query('SELECT 1', [], call)
  expect(server.statements).toEqual(['NOTIFY "gitops_gitops"', 'SELECT 1'])
  await clock.advance(1_000)
  await database.query('SELECT 2', [], call)
  expect(server.statements.slice(2)).toEqual(['NOTIFY "gitops_gitops"', 'SELECT 2'])
})

/** Speaks as much of PostgreSQL's protocol as a statement without values needs. Gives each the same answer, in one packet. */
async function fakeServer(answer: readonly Buffer[]): Promise<{ url: string; statements: string[] } & AsyncDisposable> {
  const statements: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      const isStatement = data.toString('latin1', 0, 1) === 'Q'
      if (isStatement) statements.push(data.toString('utf8', 5, data.length - 1))
      socket.write(Buffer.concat(isStatement ? answer : [welcome, ready]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    statements,
    url: `postgres://127.0.0.1:${(server.address() as AddressInfo).port}/postgres`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A message: its letter, its length, its content. */
function message(letter: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length + 4)
  return Buffer.concat([Buffer.from(letter), length, content])
}

const welcome = message('R', Buffer.alloc(4))
const ready = message('Z', Buffer.from('I'))
const nothingFound = message('C', Buffer.from('SELECT 0\0'))
const fatal = message(
  'E',
  Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'),
)
