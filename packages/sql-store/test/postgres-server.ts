import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A PostgreSQL of the test's own, on a free port of loopback. */
export interface PostgresServer extends AsyncDisposable {
  readonly url: string
  /** Ends the server without a goodbye, as a power cut would, and starts it again on the same data. */
  crash(): Promise<void>
}

/** Where the server's programs are: `POSTGRES_BIN`, then where Debian puts them. Undefined when there are none. */
export function postgresBin(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : []
  const candidates = [
    process.env['POSTGRES_BIN'],
    ...versions.map((version) => join(debian, version, 'bin')),
    '/usr/local/bin',
  ]
  return candidates.find((folder) => folder !== undefined && existsSync(join(folder, 'initdb')))
}

/** As `postgresBin`, where nothing goes without. */
export function neededPostgresBin(): string {
  const bin = postgresBin()
  if (bin === undefined) throw new Error('No PostgreSQL: install Debian’s postgresql, or set POSTGRES_BIN.')
  return bin
}

/** Makes a new cluster in a temporary folder and starts it. PostgreSQL refuses root, so root lends it a plain user. */
export async function startPostgres(bin: string, tls?: { cert: string; key: string }): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-postgres-'))
  const user = process.getuid?.() === 0 ? plainUser() : undefined
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const identity = { ...user, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' }, cwd: folder }
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'gitops', '--auth=trust', '--no-sync', '-E', 'UTF8'], {
    ...identity,
    stdio: 'ignore',
  })
  for (const [name, content] of Object.entries(tls ?? {})) {
    writeFileSync(join(data, `server.${name}`), content, { mode: 0o600 })
    if (user !== undefined) chownSync(join(data, `server.${name}`), user.uid, user.gid)
  }
  const port = await freePort()
  let server = await start()
  return {
    url: `postgres://127.0.0.1:${port}/postgres`,
    crash: async () => {
      await end('SIGKILL')
      rmSync(join(data, 'postmaster.pid'), { force: true })
      server = await startAgain()
    },
    [Symbol.asyncDispose]: async () => {
      await end('SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }

  /** Its children notice a moment later that their parent is gone, and keep its shared memory until then. */
  async function startAgain(attempts = 100): Promise<ReturnType<typeof spawn>> {
    try {
      return await start()
    } catch (error) {
      if (attempts === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
      return startAgain(attempts - 1)
    }
  }

  async function start(): Promise<ReturnType<typeof spawn>> {
    const args = [
      '-D',
      data,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `unix_socket_directories=${folder}`,
      ...(tls === undefined
        ? []
        : ['-c', 'ssl=on', '-c', 'ssl_cert_file=server.cert', '-c', 'ssl_key_file=server.key']),
    ]
    const child = spawn(join(bin, 'postgres'), args, { ...identity, stdio: ['ignore', 'ignore', 'pipe'] })
    await untilItSays(child, 'ready to accept connections', 'PostgreSQL')
    return child
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill(signal)
    await ended
  }
}

/** Resolves when a program has said so on its standard error; rejects when it ends before. */
export function untilItSays(child: ChildProcess, words: string, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text
      if (log.includes(words)) resolve()
    })
    child.once('exit', () => reject(new Error(`${name} did not start:\n${log}`)))
  })
}

/** A plain user for programs that refuse root, where this is root. */
export function plainUser(): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** A port of loopback that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
