import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createCall } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { refusalOf } from '../client/errors.ts'
import { httpClient } from '../client/http.ts'
import { startControlPlane } from './control-plane.ts'

const isListening = (server: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(Number(new URL(server).port), '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('close', () => socket.destroy())
  })

test('a control plane answers its admin, lets a user do nothing, and is gone after its end', async () => {
  const call = createCall()
  const plane = await startControlPlane({ users: [{ name: 'ada' }], controllers: false })
  const version = await httpClient(plane.connection()).send({ method: 'GET', path: '/version' }, call)
  expect(version.body['gitVersion']).toMatch(/^v1\./)
  const asAda = httpClient(plane.connection('ada'))
  const refused = await asAda.send({ method: 'GET', path: '/api/v1/secrets' }, call).catch(refusalOf)
  expect(refused).toMatchObject({ status: 403, reason: 'Forbidden' })
  await plane[Symbol.asyncDispose]()
  await plane[Symbol.asyncDispose]()
  expect(await isListening(plane.connection().server)).toBe(false)
})

test('a control plane ends with the process that started it, also when that is killed', async () => {
  const source = fileURLToPath(new URL('control-plane.ts', import.meta.url))
  const program = `import { startControlPlane } from ${JSON.stringify(source)}
    const plane = await startControlPlane({ controllers: false })
    console.log(plane.connection().server)
    setInterval(() => {}, 1000)`
  const args = ['--import', 'tsx', '--conditions=@gitops-sdk/source', '--input-type=module', '--eval', program]
  const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(owner.stdout, 'data')) as [Buffer]
  const server = line.toString('utf8').trim()
  expect(await isListening(server)).toBe(true)
  owner.kill('SIGKILL')
  await expect.poll(() => isListening(server), { timeout: 10_000 }).toBe(false)
})
