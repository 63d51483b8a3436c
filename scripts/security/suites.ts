import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join, relative } from 'node:path'

/** One test of this repository. */
export interface Test {
  /** From the root of the repository. */
  readonly file: string
  /** With the names of its groups. */
  readonly name: string
}

/** What became of one. */
export interface Result extends Test {
  readonly status: string
}

/** Tests that need a part which is not on every machine. */
interface RealSuite {
  readonly files: RegExp
  readonly part: string
  readonly command: string
  readonly isThere: () => boolean
}

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gitops-sdk')
const onPath = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))

const realSuites: readonly RealSuite[] = [
  {
    files: /^packages\/sql-store\//,
    part: 'PostgreSQL',
    command: 'test:store',
    isThere: () => process.env['POSTGRES_BIN'] !== undefined || existsSync('/usr/lib/postgresql') || onPath('initdb'),
  },
  {
    files: /^packages\/core\/src\/source\//,
    part: 'ssh-keygen and sshd',
    command: 'test:git',
    isThere: () => onPath('ssh-keygen') && (existsSync('/usr/sbin/sshd') || onPath('sshd')),
  },
  {
    files: /^packages\/k8s-adapter\//,
    part: 'kube-apiserver',
    command: 'test:cluster',
    isThere: () =>
      process.env['KUBEBUILDER_ASSETS'] !== undefined || existsSync(join(cache, 'cluster/current/kube-apiserver')),
  },
  {
    files: /^(packages\/terraform-adapter|examples\/kubernetes-and-terraform)\//,
    part: 'tofu or terraform',
    command: 'test:terraform',
    isThere: () =>
      process.env['TERRAFORM_BIN'] !== undefined ||
      existsSync(join(cache, 'tools/opentofu-1.12.6/tofu')) ||
      onPath('tofu') ||
      onPath('terraform'),
  },
]

/** The suite of a test that needs more than this machine may have. */
export function realSuiteOf(file: string): RealSuite | undefined {
  return file.endsWith('.real.test.ts') ? realSuites.find(({ files }) => files.test(file)) : undefined
}

/** Every test, without running any. */
export function listTests(): readonly Test[] {
  return inFolder((folder) =>
    ['', 'vitest.real.config.ts'].flatMap((config) => listed(config, join(folder, `list${config}`))),
  )
}

function listed(config: string, file: string): readonly Test[] {
  vitest(['list', `--json=${file}`, ...(config === '' ? [] : ['--config', config])])
  // Written by the test runner.
  const tests = JSON.parse(readFileSync(file, 'utf8')) as readonly Test[]
  return tests.map((test) => ({ file: relative(process.cwd(), test.file), name: test.name.replaceAll(' > ', ' ') }))
}

/** Runs the named files; those with real parts by the commands that bring what they need. */
export function runFiles(files: readonly string[]): readonly Result[] {
  const plain = files.filter((file) => !file.endsWith('.real.test.ts'))
  return inFolder((folder) => {
    const reports = ['--reporter=json', `--outputFile=${join(folder, 'plain.json')}`]
    if (plain.length > 0) vitest(['run', ...reports, ...plain])
    for (const [index, suite] of realSuites.entries()) runReal(suite, files, join(folder, `real-${index}.json`))
    return readReports(folder)
  })
}

function runReal({ command, files }: RealSuite, chosen: readonly string[], report: string): void {
  const mine = chosen.filter((file) => file.endsWith('.real.test.ts') && files.test(file))
  if (mine.length === 0) return
  const reports = ['--reporter=json', `--outputFile=${report}`]
  // SQLite needs a newer Node than the oldest that is supported: this command brings one.
  if (command === 'test:store') spawnSync('node', ['scripts/test-store.mjs', ...reports], quiet)
  else vitest(['run', '--config', 'vitest.real.config.ts', ...reports, ...mine])
}

const quiet: SpawnSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'] }

function vitest(args: readonly string[]): void {
  spawnSync('npx', ['vitest', ...args], quiet)
}

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** What earlier runs wrote into a folder: see `TEST_REPORTS` in the configurations of vitest. */
export function readReports(folder: string): readonly Result[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      // Written by the test runner.
      const report = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Report
      return report.testResults.flatMap(({ name: file, assertionResults }) =>
        assertionResults.map(({ fullName, status }) => ({
          file: relative(process.cwd(), file),
          name: fullName,
          status,
        })),
      )
    })
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'security-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
