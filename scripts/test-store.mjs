// The SQL ledgers on real databases: PostgreSQL from this machine, SQLite from a Node that has one. Node 20 has
// none, so a newer Node is taken from the registry (packages that hold nothing but the program), once. On Node 20 itself
// the SQLite ledger runs on better-sqlite3, which is compiled into a folder of the user's cache, once.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { cache, installOnce, programOf } from './cache.mjs'

const wanted = '22.23.3'
const driver = 'better-sqlite3@12.11.1'
const given = process.argv.slice(2)

// The last line of the output counts the larger run.
const older =
  hasSqlite() || given.length > 0 ? 0 : run(process.execPath, ['sqlite.real'], { NODE_PATH: betterSqlite() })
const nodeWithSqlite = hasSqlite()
  ? process.execPath
  : programOf(`node-${process.platform}-${process.arch}`, wanted, 'bin/node')
const newer = run(nodeWithSqlite, given.length > 0 ? given : [''])
process.exit(older || newer)

function run(program, files, environment = {}) {
  const named = files.map((file) => (file.startsWith('-') ? file : `packages/sql-store/test/${file}`))
  const suite = ['run', '--config', 'vitest.real.config.ts', ...named]
  const env = { ...process.env, NODE_NO_WARNINGS: '1', ...environment }
  const { status } = spawnSync(program, ['node_modules/vitest/vitest.mjs', ...suite], {
    stdio: 'inherit',
    env,
  })
  return status ?? 1
}

function hasSqlite() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 13)
}

/** Compiled rather than downloaded, so that it needs nothing but the registry; without optimising, which takes a minute. */
function betterSqlite() {
  const folder = join(cache, `${driver.replace('@', '-')}-${process.versions.modules}`)
  const quick = { CFLAGS: '-O0 -g0', CXXFLAGS: '-O0 -g0', JOBS: '2', npm_config_build_from_source: 'true' }
  installOnce(driver, folder, 'better-sqlite3/build/Release/better_sqlite3.node', [], quick)
  return join(folder, 'node_modules')
}
