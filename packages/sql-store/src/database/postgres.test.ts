import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { createCall } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { openPostgres } from './postgres.ts'

test('a server that dies with its answer fails the next statement, not the process', async () => {
  await using server = await dyingServer()
  await using database = openPostgres({ url: server.url, user: 'gitops', connections: 1, hints: false })
  const call = createCall()
  const answered = database.query('SELECT 1', [], call)
  const next = database.transaction((query) => query('SELECT 2', []), call)
  await expect(answered).resolves.toEqual([])
  await expect(next).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
})

/** Speaks as much of PostgreSQL's protocol as one statement needs; tells in the same packet that it ends. */
async function dyingServer(): Promise<{ url: string } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      const isStatement = data.toString('latin1', 0, 1) === 'Q'
      socket.write(Buffer.concat(isStatement ? [nothingFound, ready, fatal] : [welcome, ready]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
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
