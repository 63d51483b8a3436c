// Smart HTTP in a process of its own. Node's fork makes a program start 2 to 4 ms later, which no other server does: the
// tables of all its memory are copied. So programs are started before a pair is measured and wait for their request;
// what they do then is measured, git's own start included.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { answerEach } from './plain-process.ts'

/** What it tells whenever it is asked: by then, programs are ready for the next pair. */
export interface ServerState {
  readonly url: string
  readonly folder: string
  /** Bytes of all answers so far. */
  readonly sentBytes: number
}

type Git = ChildProcessByStdio<Writable, Readable, null>

/** Enough for the requests of both sides, with some to spare. */
const READY = 24
/** A line tells what to be; what follows it is the request. */
const script =
  'read -r version mode folder && cd "$folder" && GIT_PROTOCOL=$version exec git upload-pack --stateless-rpc $mode .'
const env = { PATH: process.env['PATH'] ?? '', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }

const folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-bench-'))
const ready: Git[] = []
let sentBytes = 0
const server = createServer(serve)
server.keepAliveTimeout = 60_000
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const address = server.address()
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`

answerEach((): ServerState => {
  while (ready.length < READY) ready.push(start())
  return { url, folder, sentBytes }
})
process.on('disconnect', () => void close())

function start(): Git {
  return spawn('/bin/sh', ['-c', script], { env, stdio: ['pipe', 'pipe', 'ignore'] })
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', url)
  const [, name, what] = /^\/([\w.-]+)\/(info\/refs|git-upload-pack)$/.exec(pathname) ?? []
  const greets = what === 'info/refs'
  if (name === undefined || (greets && searchParams.get('service') !== 'git-upload-pack'))
    return void response.writeHead(403).end()
  const git = ready.shift() ?? start()
  response.once('close', () => git.kill())
  git.stdin.on('error', () => {})
  const version = /^version=[12]$/.exec(String(request.headers['git-protocol']))?.[0] ?? 'version=0'
  git.stdin.write(`${version} ${greets ? '--advertise-refs' : '--timeout=0'} ${join(folder, name)}\n`)
  const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request
  body.pipe(git.stdin)
  const type = greets ? 'advertisement' : 'result'
  response.writeHead(200, { 'Content-Type': `application/x-git-upload-pack-${type}`, 'Cache-Control': 'no-cache' })
  if (greets) response.write('001e# service=git-upload-pack\n0000')
  git.stdout.on('data', (chunk: Buffer) => (sentBytes += chunk.length))
  git.stdout.pipe(response)
}

async function close(): Promise<void> {
  for (const git of ready) git.kill()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
}
