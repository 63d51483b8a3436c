// Reconciling Terraform modules compared with running the same binary from a shell.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Reconciler, type Target, createReconciler, memoryLedger, memorySource } from '@gitops-sdk/core'
import { terraformTarget } from '../../packages/terraform-adapter/src/index.ts'
import { findBinary } from '../../packages/terraform-adapter/src/testing.ts'
import { processCli } from '../../packages/terraform-adapter/src/cli/process.ts'
import { type Benchmark, type Row, compare, count, elapsedMs, figure, missing } from '../harness.ts'

/** Workspaces that are reconciled side by side, and how many at a time. */
const WORKSPACES = 20
const AT_ONCE = 8

export const run: Benchmark = async ({ pairs, say }) => {
  const binary = findBinary()
  if (binary === undefined) return [missing('Terraform', 'the binary', 'no terraform and no tofu here')]
  const folder = await mkdtemp(join(tmpdir(), 'bench-terraform-'))
  try {
    const bench = { binary, folder, pairs, say }
    const rows = [...(await skipped(bench)), await planAndApply(bench), await manyWorkspaces(bench)]
    for (const each of binaries(binary)) rows.push(await thousand({ ...bench, binary: each }))
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The binary of the suite, and Terraform beside it where the machine has it: their local backends differ by far. */
function binaries(first: string): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '')
  const terraform = folders.map((folder) => join(folder, 'terraform')).find((path) => existsSync(path))
  return terraform === undefined || terraform === first ? [first] : [first, terraform]
}

interface Bench {
  readonly binary: string
  readonly folder: string
  readonly pairs: number
  readonly say: (line: string) => void
}

const moduleOf = (size: number, version: string): string =>
  `resource "terraform_data" "x" {\n  count = ${size}\n  input = "${version}-\${count.index}"\n}\n`

let unique = 0
const name = (what: string): string => `${what}-${unique++}`

interface Subject {
  readonly reconciler: Reconciler
  readonly commit: (main: string) => void
  /** Commands of the binary so far. */
  readonly processes: () => number
}

function subject({ binary, folder }: Bench, main: string): Subject {
  const source = memorySource({ files: { 'main.tf': main } })
  let processes = 0
  const cli = processCli(binary)
  const counting = {
    ...cli,
    run: (...args: Parameters<typeof cli.run>) => {
      processes++
      return cli.run(...args)
    },
  }
  const target: Target = terraformTarget({ binary: counting, folder: join(folder, name('ours')) })
  const policy = { prune: true, intervalMs: 0 }
  const reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  return { reconciler, commit: (text) => void source.commit({ 'main.tf': text }), processes: () => processes }
}

async function reconcile({ reconciler }: Subject): Promise<void> {
  const { error } = await reconciler.reconcile('app')
  if (error !== undefined) throw error
}

/** Nothing new: what a loop costs that runs all day. */
async function skipped(bench: Bench): Promise<readonly Row[]> {
  bench.say('a reconcile with nothing new')
  const one = subject(bench, moduleOf(100, 'v1'))
  await reconcile(one)
  await reconcile(one)
  const before = one.processes()
  const times: number[] = []
  for (let round = 0; round < 200; round++) times.push(await elapsedMs(() => reconcile(one)))
  await one.reconciler[Symbol.asyncDispose]()
  const ours = figure(times)
  const row = {
    name: 'reconcile with nothing new, 100 resources',
    unit: 'ms',
    ours,
    goal: '≤ 1 ms',
    reached: ours.median <= 1,
  }
  return [row, count('processes of a reconcile with nothing new', one.processes() - before, 'processes', 0)]
}

/** The binary in a folder, as a careful script runs it: a plan that is read as JSON before it is applied. */
async function bare(
  { binary, folder }: Bench,
  main: string,
  backend = '',
): Promise<{ apply(main: string): Promise<void> }> {
  const place = join(folder, name('theirs'))
  await mkdir(place, { recursive: true })
  const command = (...args: string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = {
        cwd: place,
        env: { PATH: process.env['PATH'], HOME: place, CHECKPOINT_DISABLE: '1' },
        maxBuffer: 2 ** 28,
      }
      execFile(binary, args, options, (error) => (error === null ? resolve() : reject(error)))
    })
  const write = (text: string): Promise<void> => writeFile(join(place, 'main.tf'), text + backend)
  await write(main)
  await command('init', '-input=false')
  return {
    apply: async (text) => {
      await write(text)
      await command('plan', '-json', '-input=false', '-out=plan')
      await command('show', '-json', 'plan')
      await command('apply', '-json', '-input=false', 'plan')
    },
  }
}

async function planAndApply(bench: Bench): Promise<Row> {
  bench.say('plan and apply of a change of 100 resources')
  const ours = subject(bench, moduleOf(100, 'v0'))
  await reconcile(ours)
  const theirs = await bare(bench, moduleOf(100, 'v0'))
  await theirs.apply(moduleOf(100, 'v0'))
  let round = 0
  const row = await compare({
    name: 'plan, read and apply a change of 100 resources',
    peer: '`plan`, `show -json` and `apply` of the binary, local state',
    pairs: bench.pairs,
    before: async () => void round++,
    ours: async () => {
      ours.commit(moduleOf(100, `v${round}`))
      await reconcile(ours)
    },
    theirs: () => theirs.apply(moduleOf(100, `v${round}`)),
    atMost: 1.05,
  })
  await ours.reconciler[Symbol.asyncDispose]()
  return row
}

async function thousand(bench: Bench): Promise<Row> {
  bench.say('1,000 resources from nothing')
  return compare({
    name: `create 1,000 resources with ${basename(bench.binary)}, managed backend`,
    peer: 'its local backend',
    pairs: 1,
    warmup: 0,
    ours: async () => {
      const one = subject(bench, moduleOf(1_000, 'v1'))
      await reconcile(one)
      await one.reconciler[Symbol.asyncDispose]()
    },
    theirs: async () => (await bare(bench, moduleOf(1_000, 'v1'))).apply(moduleOf(1_000, 'v1')),
    atMost: 0.1,
  })
}

async function manyWorkspaces(bench: Bench): Promise<Row> {
  bench.say(`${WORKSPACES} workspaces, ${AT_ONCE} at a time`)
  const { binary, folder } = bench
  const sources = Array.from({ length: WORKSPACES }, () => memorySource({ files: { 'main.tf': moduleOf(50, 'v0') } }))
  const applications = sources.map((source, index) => ({
    name: `app-${index}`,
    source,
    target: terraformTarget({ binary, folder: join(folder, 'many') }),
    policy: { prune: true, intervalMs: 0 },
  }))
  const reconciler = createReconciler({
    ledger: memoryLedger(),
    applications,
    targetConcurrency: AT_ONCE,
    concurrency: AT_ONCE,
  })
  const all = async (): Promise<void> => {
    const results = await Promise.all(applications.map(({ name: each }) => reconciler.reconcile(each)))
    for (const { error } of results) if (error !== undefined) throw error
  }
  await all()
  const loops = await Promise.all(sources.map(() => bare(bench, moduleOf(50, 'v0'))))
  for (const each of loops) await each.apply(moduleOf(50, 'v0'))
  let round = 0
  const row = await compare({
    name: `apply a change to ${WORKSPACES} workspaces of 50 resources`,
    peer: `a shell loop, ${AT_ONCE} at a time`,
    pairs: Math.min(3, bench.pairs),
    before: async () => void round++,
    ours: async () => {
      for (const source of sources) source.commit({ 'main.tf': moduleOf(50, `v${round}`) })
      await all()
    },
    theirs: () => inParallel(loops.map((each) => () => each.apply(moduleOf(50, `v${round}`)))),
    atMost: 1.2,
  })
  await reconciler[Symbol.asyncDispose]()
  return row
}

/** As `xargs -P` does. */
async function inParallel(jobs: (() => Promise<void>)[]): Promise<void> {
  const queue = [...jobs]
  const worker = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
