// Other queues, in the last versions that run on Node 20. They are no dependency of anything here: each is installed once, by its
// exact version, into a folder of the user's cache.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freePort } from '../../packages/sql-store/test/postgres-server.ts'

const versions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'pg-boss': { 'pg-boss': '10.4.2' },
  'graphile-worker': { 'graphile-worker': '0.17.3' },
  bullmq: { bullmq: '6.7.0', ioredis: '5.9.2' },
}

/** The folder that holds package `name`, or why there is none. */
export function installPeer(name: string): { readonly folder: string } | { readonly missing: string } {
  const dependencies = versions[name] ?? {}
  const wanted = Object.entries(dependencies).map((each) => each.join('-'))
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const folder = join(cache, 'gitops-sdk', 'queues', ...wanted)
  if (existsSync(join(folder, 'installed'))) return { folder }
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    writeFileSync(join(folder, 'installed'), '')
    return { folder }
  } catch {
    return { missing: `${wanted.join(' with ')} could not be installed` }
  }
}

/** What package `name` exports. Its types are not installed where this is checked, so the caller says what it uses of it. */
export async function load<T>(folder: string, name: string): Promise<T> {
  const path = createRequire(join(folder, 'package.json')).resolve(name)
  const loaded = (await import(pathToFileURL(path).href)) as { default?: T }
  return loaded.default ?? (loaded as T)
}

/** A Redis of the benchmark's own, on a free port of loopback. Undefined where it is not installed. */
export async function startRedis(): Promise<({ readonly url: string } & AsyncDisposable) | undefined> {
  const bin = process.env['REDIS_BIN'] ?? '/usr/bin/redis-server'
  if (!existsSync(bin)) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'gitops-redis-'))
  const port = await freePort()
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction']
  const server = spawn(bin, ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...durable], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('Ready to accept connections')) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error('Redis did not start.')))
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
