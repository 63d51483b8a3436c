// npx -y pnpm@12 test:runtimes
// The packages as they would be published, on every runtime that is promised: import and require each entry point, and
// a small real reconcile. The runtimes come from the registry, from packages that hold nothing but the program, once.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { programOf } from '../cache.mjs'
import { entryPoints, installPacked, packAll, run } from '../packed.mjs'

const { platform, arch } = process
const node = (version) => ({
  name: `Node ${version}`,
  program: [`node-${platform}-${arch}`, version, 'bin/node'],
  args: ['--no-warnings'],
  runs: ['load.mjs', 'load.cjs', 'reconcile.mjs'],
})
const runtimes = [
  node('20.19.0'),
  node('22.23.3'),
  node('24.21.0'),
  { name: 'Bun 1.4.5', program: [`@oven/bun-${platform}-${arch}`, '1.4.5', 'bin/bun'], args: ['run'] },
  {
    name: 'Deno 2.9.6',
    program: [`@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`, '2.9.6', 'deno'],
    args: ['run', '--allow-all', '--node-modules-dir=manual'],
  },
]

const home = mkdtempSync(join(tmpdir(), 'gitops-sdk-runtimes-'))
let failed = 0
let passed = 0
let server
try {
  run('npx', ['-y', 'pnpm@12', 'build'], resolve('.'))
  const packages = packAll(home)
  installPacked(packages, home)
  writeLoads(packages)
  cpSync('scripts/runtimes/reconcile.mjs', join(home, 'reconcile.mjs'))
  const { startGitServer } = await import(join(home, 'node_modules/@gitops-sdk/core/dist/testing-git.js'))
  server = await startGitServer()
  const repository = await server.createRepository('things')
  await repository.commit({ 'thing/a.json': '{"size":1}', 'thing/b.json': '{"size":1}' }, { branch: 'first' })
  await repository.commit({ 'thing/a.json': '{"size":2}' })
  for (const runtime of runtimes) {
    const program = programOf(...runtime.program)
    for (const file of runtime.runs ?? ['load-core.mjs', 'reconcile.mjs']) {
      const state = join(home, `${runtime.name} ${file}`)
      const { code, text } = await execute(program, [...runtime.args, file, repository.url, state])
      const isWell = code === 0 && (file !== 'reconcile.mjs' || text.includes('reconciled'))
      console.log(`${isWell ? 'ok    ' : 'FAILED'} ${runtime.name} ${file}${isWell ? '' : `\n${text}`}`)
      if (isWell) passed++
      else failed++
    }
  }
} finally {
  await server?.close()
  rmSync(home, { recursive: true, force: true })
}
console.log(`Tests  ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** Bun and Deno are promised for core; each of its entry points, and on Node those of every package. */
function writeLoads(packages) {
  const all = packages.flatMap(entryPoints)
  const core = all.filter((entry) => entry.startsWith('@gitops-sdk/core'))
  const imports = (entries) => entries.map((entry) => `await import('${entry}')`).join('\n')
  writeFileSync(join(home, 'load.mjs'), imports(all))
  writeFileSync(join(home, 'load-core.mjs'), imports(core))
  writeFileSync(join(home, 'load.cjs'), all.map((entry) => `require('${entry}')`).join('\n'))
}

/** Runs beside the Git server of this process, which must answer meanwhile. */
function execute(program, args) {
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: home, timeout: 60_000, env: { ...process.env, NO_COLOR: '1' } })
    let text = ''
    child.stdout.on('data', (chunk) => (text += chunk))
    child.stderr.on('data', (chunk) => (text += chunk))
    child.on('error', (error) => done({ code: 1, text: error.message }))
    child.on('close', (code) => done({ code, text }))
  })
}
