// Packs every public package as it would be published and meets it as a stranger would: publint and
// attw on the tarball, install into an empty folder, import and require each entry point, type-check
// with the oldest and the newest TypeScript that is promised.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { entryPoints, installPacked, packAll, run } from './packed.mjs'

const compilers = ['5.4', '5.9', '7.0']
const folder = mkdtempSync(join(tmpdir(), 'gitops-sdk-packages-'))
const problems = []

try {
  const packages = packAll(folder)
  for (const one of packages) await checkShape(one)
  const typescripts = compilers.map((version) => [`typescript-${version}`, `npm:typescript@~${version}.0`])
  installPacked(packages, folder, { ...Object.fromEntries(typescripts), '@types/node': '^20.19.0' })
  const entries = packages.flatMap(entryPoints)
  checkLoads(entries)
  checkCommandLine()
  checkStarters(packages)
  checkTypes(entries)
  if (problems.length > 0) throw new Error(problems.join('\n'))
  console.log(
    `packages: ${packages.length} packed, ${entries.length} entry points imported, required and type-checked with TypeScript ${compilers.join(', ')}`,
  )
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function checkShape({ name, tarball }) {
  const bytes = readFileSync(tarball)
  const { messages, pkg } = await publint({
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
    strict: true,
  })
  for (const message of messages) problems.push(`publint ${name}: ${formatMessage(message, pkg)}`)
  try {
    run('npx', ['attw', tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'], resolve('.'))
  } catch (error) {
    problems.push(`attw ${name}: ${error.message}`)
  }
}

function checkLoads(entries) {
  writeFileSync(join(folder, 'load.mjs'), entries.map((entry) => `await import('${entry}')`).join('\n'))
  writeFileSync(join(folder, 'load.cjs'), entries.map((entry) => `require('${entry}')`).join('\n'))
  for (const file of ['load.mjs', 'load.cjs']) run('node', ['--no-warnings', file], folder)
}

/** The command line, on a typed configuration and with the Node that runs this. */
function checkCommandLine() {
  writeFileSync(
    join(folder, 'gitops.config.ts'),
    `import { defineConfig } from '@gitops-sdk/cli'
import { memorySource } from '@gitops-sdk/core'
import { memoryTarget } from '@gitops-sdk/core/testing'
const name: string = 'stranger'
export default defineConfig({
  applications: [
    { name, source: memorySource({ files: { 'thing/a.json': '{ "size": 1 }' } }), target: memoryTarget() },
    { name: 'broken', source: memorySource({ files: { 'thing/a.json': '{' } }), target: memoryTarget() },
  ],
})
`,
  )
  const { status, stdout, stderr } = spawnSync('npx', ['gitops', 'plan', '--json'], { cwd: folder, encoding: 'utf8' })
  const [planned, broken] = status === 1 ? JSON.parse(stdout) : []
  // The code of an error is only known when the configuration and the command line share one copy of core.
  if (planned?.changes?.length !== 1 || broken?.error?.code !== 'DECLARATION_INVALID')
    problems.push(`gitops plan ended with ${status}:\n${stdout}${stderr}`)
}

/** What `npm create @gitops-sdk` writes passes at once, with the packages as they would be published. */
function checkStarters(packages) {
  const { tarball } = packages.find(({ name }) => name === '@gitops-sdk/core')
  const starters = join(folder, 'starters')
  mkdirSync(starters)
  writeFileSync(join(starters, 'package.json'), JSON.stringify({ private: true, workspaces: ['*'] }))
  for (const kind of ['embedder', 'adapter']) {
    run('npx', ['create-gitops-sdk', join('starters', kind), '--kind', kind], folder)
    const file = join(starters, kind, 'package.json')
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    manifest.dependencies['@gitops-sdk/core'] = `file:${tarball}`
    writeFileSync(file, JSON.stringify(manifest))
  }
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], starters)
  run('npm', ['test', '--workspaces'], starters)
}

function checkTypes(entries) {
  const lines = entries.map((entry, index) => `import * as e${index} from '${entry}'\nvoid e${index}`)
  writeFileSync(join(folder, 'types.mts'), lines.join('\n'))
  const options = {
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    types: ['node'],
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['types.mts'] }))
  for (const version of compilers) {
    try {
      run('node', [join('node_modules', `typescript-${version}`, 'bin/tsc'), '-p', '.'], folder)
    } catch (error) {
      // A dependency may need a newer compiler for its own types; ours must not.
      const ours = error.message.split('\n').filter((line) => /^(node_modules\/@gitops-sdk\/|types\.mts)/.test(line))
      if (ours.length > 0) problems.push(`TypeScript ${version}:\n${ours.join('\n')}`)
    }
  }
}
