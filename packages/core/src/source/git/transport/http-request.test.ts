import { once } from 'node:events'
import { Agent, type RequestListener, type Server, createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createCall } from '../../../runtime/call.ts'
import { type HttpAnswer, send } from './http-request.ts'
import { defaultTimeouts } from './transport.ts'

const call = createCall()
const running = new Set<{ destroy(): void }>()
afterEach(() => {
  for (const one of running) one.destroy()
  running.clear()
})

function agentOf(maxSockets: number): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets })
  running.add(agent)
  return agent
}

async function serve(answer: RequestListener): Promise<(path: string, agent: Agent) => Promise<HttpAnswer>> {
  const server: Server = createServer(answer)
  running.add({ destroy: () => void server.close() })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return (path, agent) => {
    const url = new URL(`http://127.0.0.1:${port}${path}`)
    return send({ method: 'GET', url, headers: {}, maxBytes: 100 }, agent, defaultTimeouts, call)
  }
}

async function textOf(answer: HttpAnswer): Promise<string> {
  let text = ''
  for await (const chunk of answer.body) text += chunk.toString()
  return text
}

test('a connection is free for the next request also when the end of an answer came while its reader was busy', async () => {
  let end = (): void => {}
  const get = await serve(({ url }, response) => {
    if (url !== '/later') return response.end('now')
    end = () => void response.end()
    return response.write('all there is')
  })
  const agent = agentOf(1)
  const free = once(agent, 'free')
  for await (const chunk of (await get('/later', agent)).body) {
    expect(chunk.toString()).toBe('all there is')
    end()
    // What is sent after the end arrives after it.
    expect(await textOf(await get('/now', agentOf(1)))).toBe('now')
    break
  }
  await free
  expect(await textOf(await get('/now', agent))).toBe('now')
})

test('requests that waited for a connection of others leave nothing behind on it', async () => {
  const get = await serve((_request, response) => response.end('now'))
  const agent = agentOf(1)
  const answers = await Promise.all(Array.from({ length: 5 }, async () => textOf(await get('/', agent))))
  expect(answers).toEqual(Array.from({ length: 5 }, () => 'now'))
  const [socket] = Object.values(agent.freeSockets).flat()
  expect(socket?.listenerCount('connect')).toBe(0)
})
