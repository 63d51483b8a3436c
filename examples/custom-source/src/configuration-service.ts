import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { Documents } from './http-source.ts'

/** A configuration service on this machine, for tests. */
export interface ConfigurationService {
  readonly url: string
  /** How many bodies were sent. */
  readonly bodies: number
  change(documents: Readonly<Record<string, string | null>>): void
  close(): Promise<void>
}

export async function startConfigurationService(initial: Documents): Promise<ConfigurationService> {
  const documents = new Map(Object.entries(initial))
  let bodies = 0
  const server = createServer((request, response) => {
    const body = JSON.stringify(Object.fromEntries([...documents].toSorted(([a], [b]) => (a < b ? -1 : 1))))
    const etag = `"${createHash('sha256').update(body).digest('hex')}"`
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end()
    bodies++
    response.writeHead(200, { 'content-type': 'application/json', etag }).end(body)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/documents`,
    get bodies() {
      return bodies
    },
    change: (changes) => {
      for (const [path, text] of Object.entries(changes)) {
        if (text === null) documents.delete(path)
        else documents.set(path, text)
      }
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
