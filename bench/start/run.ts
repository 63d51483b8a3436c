import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, mkdtempSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type BenchmarkOptions, type Row, count, figure, missing } from '../harness.ts'

const core = resolve('packages/core')

/** What it costs to load the library, in a process that does nothing else. */
export async function run({ pairs, say }: BenchmarkOptions): Promise<readonly Row[]> {
  const built = join(core, 'dist/index.js')
  const name = "import '@gitops-sdk/core'"
  if (!existsSync(built)) return [missing(name, 'import of the peers', 'run `pnpm build` first')]
  say(name)
  const peers = ['@kubernetes/client-node', 'isomorphic-git'].map((peer) => against(name, built, peer, pairs))
  return [...peers, count('installed size of core with what it depends on', installedKib(), 'KiB')]
}

function against(name: string, built: string, peer: string, pairs: number): Row {
  const entry = entryOf(peer)
  if (entry === undefined) return missing(name, `import '${peer}'`, `${peer} is not installed here`)
  const rounds = Array.from({ length: pairs + 1 }, () => [importMs(built), importMs(entry)] as const).slice(1)
  const ours = figure(rounds.map(([a]) => a))
  const theirs = figure(rounds.map(([, b]) => b))
  const ratio = figure(rounds.map(([a, b]) => a / b))
  return {
    name,
    peer: `import '${peer}'`,
    unit: 'ms CPU',
    ours,
    theirs,
    ratio,
    goal: '< 30 ms',
    reached: ours.median < 30,
  }
}

/** The processor time that the import alone takes, as the process itself counts it. */
function importMs(file: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-sdk-start-'))
  const program = join(folder, 'start.mjs')
  writeFileSync(
    program,
    `const before = process.cpuUsage()\nawait import(${JSON.stringify(file)})\nconst { user, system } = process.cpuUsage(before)\nconsole.log((user + system) / 1000)\nprocess.exit(0)\n`,
  )
  try {
    return Number(execFileSync(process.execPath, [program], { encoding: 'utf8' }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function entryOf(peer: string): string | undefined {
  for (const from of ['package.json', 'packages/core/package.json', 'packages/k8s-adapter/package.json']) {
    try {
      return createRequire(resolve(from)).resolve(peer)
    } catch {
      continue
    }
  }
  return undefined
}

/** What core publishes and every package that installing it brings, without optional peers. */
function installedKib(): number {
  const seen = new Map<string, number>([[core, sizeOf(join(core, 'dist'))]])
  addDependencies(core, seen)
  return Math.round([...seen.values()].reduce((sum, size) => sum + size, 0) / 1024)
}

function addDependencies(folder: string, seen: Map<string, number>): void {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) {
    const found = folderOf(name, folder)
    if (found === undefined || seen.has(found)) continue
    seen.set(found, sizeOf(found))
    addDependencies(found, seen)
  }
}

function folderOf(name: string, from: string): string | undefined {
  const paths = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  const found = paths.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')))
  return found === undefined ? undefined : dirname(createRequire(join(found, 'package.json')).resolve('./package.json'))
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.slice(folder.length).includes('node_modules'))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
