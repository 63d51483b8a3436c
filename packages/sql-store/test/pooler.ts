import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, plainUser, untilItSays } from './postgres-server.ts'

/** A PgBouncer in transaction mode before `server`: each transaction may meet another connection. */
export interface Pooler extends AsyncDisposable {
  readonly url: string
}

/** Where PgBouncer is: `PGBOUNCER_BIN`, then where Debian puts it. Undefined when there is none. */
export function poolerBin(): string | undefined {
  return [process.env['PGBOUNCER_BIN'], '/usr/sbin/pgbouncer'].find((file) => file !== undefined && existsSync(file))
}

export async function startPooler(bin: string, server: { readonly url: string }): Promise<Pooler> {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-pooler-'))
  const port = await freePort()
  const { hostname, port: behind } = new URL(server.url)
  const settings = join(folder, 'pgbouncer.ini')
  writeFileSync(
    settings,
    `[databases]
postgres = host=${hostname} port=${behind} dbname=postgres user=gitops
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
`,
  )
  const user = process.getuid?.() === 0 ? plainUser() : undefined
  if (user !== undefined) for (const path of [folder, settings]) chownSync(path, user.uid, user.gid)
  const child = spawn(bin, [settings], { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  await untilItSays(child, 'process up', 'PgBouncer')
  return {
    url: `postgres://127.0.0.1:${port}/postgres`,
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
