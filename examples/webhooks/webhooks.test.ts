import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import type { WebhookHandler } from '@gitops-sdk/core'
import { afterEach, describe, expect, test } from 'vitest'
import { receiveWebhooks } from './receive.ts'
import { type Serving, serveWithExpress, serveWithFastify, serveWithHono, serveWithNode } from './serve.ts'

const SECRET = 'a-secret-of-some-length'
const body = JSON.stringify({ after: 'é', repository: { clone_url: 'https://git.example/acme/shop.git' } })
const servers: readonly (readonly [string, (handler: WebhookHandler) => Promise<Serving>])[] = [
  ['node:http', serveWithNode],
  ['Express', serveWithExpress],
  ['Fastify', serveWithFastify],
  ['Hono', serveWithHono],
]
let serving: Serving | undefined
afterEach(() => serving?.close())

describe.each(servers)('%s', (_, serve) => {
  const send = (given: string, signature: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${serving?.port}/hooks`, {
      method: 'POST',
      body: given,
      headers: {
        'content-type': 'application/json',
        connection: 'close',
        'x-github-event': 'push',
        'x-hub-signature-256': `sha256=${signature}`,
      },
    })
  const sign = (given: string): string => createHmac('sha256', SECRET).update(given).digest('hex')

  test('a signed webhook triggers, a forged one does not', async () => {
    const triggered: string[] = []
    serving = await serve(receiveWebhooks({ trigger: (name) => void triggered.push(name) }, SECRET))
    expect((await send(body, sign(`${body} `))).status).toBe(401)
    expect(triggered).toEqual([])
    expect((await send(body, sign(body))).status).toBe(202)
    expect(triggered).toEqual(['shop'])
  })

  test('W01: what keeps sending is answered and cut off', async () => {
    serving = await serve(receiveWebhooks({ trigger: () => {} }, SECRET))
    const { answer, sentBytes } = await flood(serving.port)
    expect(answer).toMatch(/^(HTTP\/1\.1 413|$)/)
    expect(sentBytes).toBeLessThan(64 * 1024 * 1024)
  })
})

/** Sends chunks until the other side ends the connection. */
function flood(port: number): Promise<{ answer: string; sentBytes: number }> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    let isOpen = true
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const write = (): void => {
      while (isOpen && socket.write(chunk)) continue
    }
    socket.on('data', (data) => (answer += data.toString()))
    socket.on('error', () => {})
    socket.on('close', () => {
      isOpen = false
      resolve({ answer, sentBytes: socket.bytesWritten })
    })
    socket.on('end', () => socket.destroy())
    socket.on('drain', write)
    socket.write(
      `POST /hooks HTTP/1.1\r\nHost: host\r\nX-GitHub-Event: push\r\nX-Hub-Signature-256: sha256=00\r\n` +
        'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    write()
  })
}
