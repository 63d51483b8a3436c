// The SQL ledgers on real databases: PostgreSQL from this machine, SQLite from a Node that has one. Node 20 has
// none, so a newer Node is taken from the registry (packages that hold nothing but the program), once.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const wanted = '22.23.3'
const args = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config',
  'vitest.real.config.ts',
  'packages/sql-store',
  ...process.argv.slice(2),
]
const { status } = spawnSync(nodeWithSqlite(), args, {
  stdio: 'inherit',
  env: { ...process.env, NODE_NO_WARNINGS: '1' },
})
process.exit(status ?? 1)

function nodeWithSqlite() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 13)) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = join(cache, 'gitops-sdk', `node-${wanted}`)
  const program = join(folder, 'node_modules', name, 'bin', 'node')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  execFileSync(
    'npm',
    ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', `${name}@${wanted}`],
    { stdio: 'inherit' },
  )
  console.log(`store: Node ${wanted} for its SQLite, in ${folder}`)
  return program
}
