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
import { terraformInstances } from '../shapes/generate.ts'
import {
  type Benchmark,
  type Row,
  compare,
  count,
  elapsedMs,
  figure,
  growthRow,
  inParallel,
  missing,
  paired,
} from '../harness.ts'

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
    rows.push(...(await growth(bench)))
    for (const each of binaries(binary)) rows.push(...(await thousand({ ...bench, binary: each })))
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

/** Networks, machines, records and rules as real modules declare them: a state of 1,000 takes about 2.5 megabytes. */
const realisticModule = (size: number): string =>
  Array.from(terraformInstances(size), ({ name: label, body }) => {
    return `resource "terraform_data" "${label}" {\n  input = ${JSON.stringify(body)}\n}\n`
  }).join('')

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

interface Script {
  plan(main: string): Promise<void>
  applyPlan(): Promise<void>
  /** Both. */
  apply(main: string): Promise<void>
}

/** The binary in a folder, as a careful script runs it: a plan that is read as JSON before it is applied. */
async function bare({ binary, folder }: Bench, main: string): Promise<Script> {
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
  const write = (text: string): Promise<void> => writeFile(join(place, 'main.tf'), text)
  await write(main)
  await command('init', '-input=false')
  const plan = async (text: string): Promise<void> => {
    await write(text)
    await command('plan', '-json', '-input=false', '-out=plan')
    await command('show', '-json', 'plan')
  }
  const applyPlan = (): Promise<void> => command('apply', '-json', '-input=false', 'plan')
  return { plan, applyPlan, apply: async (text) => (await plan(text), applyPlan()) }
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

/**
 * What a backend is for: Terraform's local one writes the whole state after each resource. OpenTofu's no longer does, so
 * its rows have no goal.
 */
async function thousand(bench: Bench): Promise<readonly Row[]> {
  const binary = basename(bench.binary)
  bench.say(`1,000 resources from nothing, with ${binary}`)
  const main = realisticModule(1_000)
  const ours: Creation[] = []
  const theirs: Creation[] = []
  for (let round = 0; round < Math.min(3, bench.pairs); round++) {
    ours.push(await createManaged(bench, main))
    theirs.push(await createLocally(bench, main))
  }
  const peer = 'its local backend'
  const goal = binary === 'terraform' ? { atMost: 0.1 } : {}
  const apply = { name: `apply a plan of 1,000 realistic resources with ${binary}, managed backend`, peer, ...goal }
  const whole = { name: `the same with its plan, which no backend makes faster, ${binary}`, peer }
  return [
    paired(
      apply,
      ours.map(({ applyMs }) => applyMs),
      theirs.map(({ applyMs }) => applyMs),
    ),
    paired(
      whole,
      ours.map(({ wholeMs }) => wholeMs),
      theirs.map(({ wholeMs }) => wholeMs),
    ),
  ]
}

interface Creation {
  /** From the plan to the end of the run: journal, binary, state, read back, history. */
  readonly applyMs: number
  readonly wholeMs: number
}

async function createManaged(bench: Bench, main: string): Promise<Creation> {
  const one = subject(bench, main)
  let planned = Number.NaN
  one.reconciler.on('planned', () => void (planned = performance.now()))
  const start = performance.now()
  await reconcile(one)
  const end = performance.now()
  await one.reconciler[Symbol.asyncDispose]()
  return { applyMs: end - planned, wholeMs: end - start }
}

async function createLocally(bench: Bench, main: string): Promise<Creation> {
  const start = performance.now()
  const one = await bare(bench, main)
  await one.plan(main)
  const planned = performance.now()
  await one.applyPlan()
  const end = performance.now()
  return { applyMs: end - planned, wholeMs: end - start }
}

/** Creating 10, 100 and 1,000 resources, with all that belongs to it. */
async function growth(bench: Bench): Promise<readonly Row[]> {
  const sizes = [10, 100, 1_000]
  const rows: Row[] = []
  for (const size of sizes) {
    bench.say(`creating ${size} resources`)
    const times: number[] = []
    for (let round = 0; round < Math.min(3, bench.pairs); round++)
      times.push((await createManaged(bench, realisticModule(size))).wholeMs)
    rows.push({ name: `plan and create ${size} realistic resources`, unit: 'ms', ours: figure(times) })
  }
  return [...rows, growthRow('planning and creating resources', sizes, rows, 1.05)]
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
    theirs: () => inParallel(AT_ONCE, loops, (each) => each.apply(moduleOf(50, `v${round}`))),
    atMost: 1.2,
  })
  await reconciler[Symbol.asyncDispose]()
  return row
}
