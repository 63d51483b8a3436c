import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { ServedRepository } from '@gitops-sdk/core/testing/git'
import { type BenchmarkOptions, type Pair, type Row, compare, figure, growthRow } from '../harness.ts'
import { markdown } from '../report.ts'
import type { GitTask } from './command-line.ts'
import type { SourceTask } from './our-source.ts'
import { type Answered, bundle, startPlainProcess } from './plain-process.ts'
import { type BenchServer, startBenchServer } from './start-server.ts'
import { manifest, monorepo, onePath, pathOf } from './repositories.ts'

const sizes = [1_000, 10_000, 50_000]
const execute = promisify(execFile)

/** The server, and the processes of both sides. */
interface Sides {
  readonly server: BenchServer
  readonly ours: (task: SourceTask) => Promise<Answered>
  readonly git: (task: GitTask) => Promise<Answered>
}

/** `gitSource` against the git command line, over smart HTTP of the same server on this machine. */
export async function run(options: BenchmarkOptions): Promise<readonly Row[]> {
  await using server = await startBenchServer()
  await using commandLine = await startPlainProcess('command-line.ts')
  await using source = await startPlainProcess('our-source.ts')
  const sides: Sides = { server, ours: (task) => source.ask(task), git: (task) => commandLine.ask(task) }
  const rows: Row[] = []
  for (const files of sizes) {
    options.say(`making a repository of ${files} files`)
    const repository = await monorepo(server, files, 200)
    rows.push(...(await measure(repository, sides, files, options)))
  }
  rows.push(...growths(rows))
  if (options.repo !== undefined) rows.push(...(await measureForeign(sides, options.repo, options)))
  return rows
}

/** Compares; before each pair the server makes itself ready. */
function compareOn(server: BenchServer, pair: Pair): Promise<Row> {
  const before = async (): Promise<void> => {
    await pair.before?.()
    await server.makeReady()
  }
  return compare({ ...pair, before })
}

/** What grows with the repository: what is read in full. The others are flat or nearly so. */
function growths(rows: readonly Row[]): readonly Row[] {
  return ['poll, nothing new', 'one-file commit to changed contents', 'cold start to all contents'].map((name) =>
    growthRow(
      name,
      sizes,
      rows.filter((row) => row.name.startsWith(`${name}, `)),
      1.05,
    ),
  )
}

async function measure(
  repository: ServedRepository,
  sides: Sides,
  files: number,
  options: BenchmarkOptions,
): Promise<readonly Row[]> {
  const size = `${files / 1000}k files`
  const { server } = sides
  const { rows, say } = telling(options)
  await using twin = await createTwin(repository, sides)
  // A reconciler polls for months, and compiles its code in the first rounds; git starts anew in each.
  const steady = { pairs: options.pairs, warmup: 5 }
  say(
    await compareOn(server, {
      name: `poll, nothing new, ${size}`,
      peer: 'git ls-remote',
      ...steady,
      atMost: 0.25,
      ...polls(twin),
    }),
  )
  const oneFile = {
    name: `one-file commit to changed contents, ${size}`,
    peer: 'git fetch, diff-tree, cat-file',
    ...steady,
  }
  say(
    await compareOn(server, { ...oneFile, atMost: 0.3, ...increments(twin, () => commitFiles(repository, files, 1)) }),
  )
  if (files === 10_000) {
    const hundred = { name: `100 commits, ${size}`, peer: 'git fetch, diff-tree, cat-file', ...steady }
    say(
      await compareOn(server, {
        ...hundred,
        atMost: 0.6,
        ...increments(twin, () => hundredCommits(repository, files)),
      }),
    )
    const many = { name: `commit of 500 files, ${size}`, peer: 'git fetch, diff-tree, cat-file', ...steady }
    say(
      await compareOn(server, { ...many, atMost: 0.6, ...increments(twin, () => commitFiles(repository, files, 500)) }),
    )
  }
  say(await bytesRow(twin, repository, files, size))
  const { url } = repository
  say(await coldStart(sides, url, size, options))
  if (files > 1_000) {
    const one = {
      name: `cold start of one path of 250 files, ${size}`,
      peer: 'git clone --filter=blob:none --sparse',
      pairs: options.pairs,
    }
    say(
      await compareOn(server, {
        ...one,
        atMost: 0.6,
        ours: () => sides.ours({ task: 'read all', url, path: onePath }),
        theirs: () => sides.git({ task: 'read path', url, path: onePath }),
      }),
    )
    for (const row of await footprint(url, size, files === 10_000 ? 110 : undefined)) say(row)
  }
  return rows
}

/** A repository of the user's: a copy of it is served, with the history of its `HEAD` as `main`. */
async function measureForeign(sides: Sides, repo: string, options: BenchmarkOptions): Promise<readonly Row[]> {
  const repository = await sides.server.createRepository('foreign')
  // A path is meant from where the command was started, not from where git runs.
  const from = existsSync(repo) ? resolve(repo) : repo
  options.say(`copying ${repo}`)
  await repository.git('fetch', '--quiet', '--no-tags', '--update-shallow', from, 'HEAD:refs/heads/main')
  const history = (await repository.git('rev-list', '--first-parent', '--max-count=201', 'main'))
    .split('\n')
    .toReversed()
  const name = repo.split('/').findLast((part) => part !== '') ?? repo
  const { rows, say } = telling(options)
  const { pairs } = options
  const { server } = sides
  const steps = Math.min(pairs + 1, history.length - 1)
  await repository.git('update-ref', 'refs/heads/main', history[history.length - 1 - steps] ?? 'main')
  await using twin = await createTwin(repository, sides)
  say(
    await compareOn(server, {
      name: `poll, nothing new, ${name}`,
      peer: 'git ls-remote',
      pairs,
      atMost: 0.25,
      ...polls(twin),
    }),
  )
  if (steps > 1) {
    const next = history.slice(history.length - steps).values()
    const forward = (): Promise<unknown> => repository.git('update-ref', 'refs/heads/main', next.next().value ?? 'main')
    const row = { name: `its last ${steps} commits, one by one, ${name}`, peer: 'git fetch, diff-tree, cat-file' }
    say(await compareOn(server, { ...row, pairs: steps - 1, atMost: 0.3, ...increments(twin, forward, true) }))
  }
  const { url } = repository
  say(await coldStart(sides, url, name, options))
  for (const row of await footprint(url, name, undefined)) say(row)
  return rows
}

/** Rows that are told as they come. */
function telling(options: BenchmarkOptions): { readonly rows: readonly Row[]; readonly say: (row: Row) => void } {
  const rows: Row[] = []
  const say = (row: Row): void => {
    options.say(`${row.name}: ${row.ratio === undefined ? row.ours.median : `${row.ratio.median.toFixed(3)}×`}`)
    rows.push(row)
  }
  return { rows, say }
}

function coldStart(sides: Sides, url: string, size: string, { pairs }: BenchmarkOptions): Promise<Row> {
  return compareOn(sides.server, {
    name: `cold start to all contents, ${size}`,
    peer: 'git clone --depth 1, ls-tree, cat-file',
    pairs,
    atMost: 0.9,
    ours: () => sides.ours({ task: 'read all', url, path: '' }),
    theirs: () => sides.git({ task: 'read all', url }),
  })
}

/** The same repository followed by both. */
interface Twin extends AsyncDisposable {
  readonly clone: string
  readonly url: string
  head: string
  readonly sides: Sides
}

async function createTwin({ url }: ServedRepository, sides: Sides): Promise<Twin> {
  const folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-bench-'))
  const clone = String((await sides.git({ task: 'clone', url, folder })).answer)
  const head = String((await sides.ours({ task: 'follow', url })).answer)
  return {
    clone,
    url,
    head,
    sides,
    [Symbol.asyncDispose]: async () => {
      await sides.ours({ task: 'unfollow' })
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Compared {
  readonly ours: () => Promise<unknown>
  readonly theirs: () => Promise<unknown>
}

function polls({ sides, url, clone }: Twin): Compared {
  return { ours: () => sides.ours({ task: 'poll' }), theirs: () => sides.git({ task: 'poll', url, clone }) }
}

interface Increments extends Compared {
  readonly before: () => Promise<unknown>
}

/** Each side fetches a commit that was made just before its turn, and reads what it changed. */
function increments(twin: Twin, change: () => Promise<unknown>, mayBeEmpty = false): Increments {
  return {
    before: change,
    ours: () => twin.sides.ours({ task: 'advance', mayBeEmpty }),
    theirs: async () => {
      const { clone, head: from } = twin
      const advanced = await twin.sides.git({ task: 'advance', clone, from, mayBeEmpty })
      twin.head = String(advanced.answer)
      return advanced
    },
  }
}

let seed = 1_000_000

function commitFiles(repository: ServedRepository, files: number, amount: number): Promise<string> {
  const start = seed
  seed += amount
  return repository.commit(
    Object.fromEntries(
      Array.from({ length: amount }, (_, at) => [pathOf((start * 7 + at * 13) % files), manifest(start + at)]),
    ),
  )
}

async function hundredCommits(repository: ServedRepository, files: number): Promise<void> {
  for (let at = 0; at < 100; at++) await commitFiles(repository, files, 1)
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Memory and responsiveness, in processes that do nothing else and load plain JavaScript. Five of them, because when garbage is
 * collected is chance.
 */
async function footprint(url: string, size: string, atMostMib?: number): Promise<Row[]> {
  return inFolder(async (folder) => {
    const program = await bundle('cold-start.ts', folder)
    const [peaks, blocks]: [number[], number[]] = [[], []]
    for (let round = 0; round < 5; round++) {
      const { stdout } = await execute(process.execPath, [program, url])
      const { peakRssBytes, longestBlockMs } = JSON.parse(stdout) as { peakRssBytes: number; longestBlockMs: number }
      peaks.push(Math.round(peakRssBytes / 2 ** 20))
      blocks.push(Math.round(longestBlockMs))
    }
    const [peak, block] = [figure(peaks), figure(blocks)]
    const goal = atMostMib === undefined ? {} : { goal: `≤ ${atMostMib}`, reached: peak.median <= atMostMib }
    return [
      { name: `peak memory of a cold start, ${size}`, unit: 'MiB', ours: peak, ...goal },
      {
        name: `longest block of the event loop, ${size}`,
        unit: 'ms',
        ours: block,
        goal: '≤ 50, also the longest',
        reached: block.max <= 50,
      },
    ]
  })
}

/** What crosses the wire for a commit of one file. */
async function bytesRow(twin: Twin, repository: ServedRepository, files: number, size: string): Promise<Row> {
  await commitFiles(repository, files, 1)
  const { ours, theirs } = increments(twin, async () => {})
  const [a, b] = [await sentBytes(twin.sides.server, ours), await sentBytes(twin.sides.server, theirs)]
  const peer = 'git fetch --depth=1'
  const row: Row = {
    name: `bytes received for a commit of one file, ${size}`,
    peer,
    unit: 'B',
    ours: figure([a]),
    theirs: figure([b]),
  }
  return { ...row, ratio: figure([a / b]), goal: '≤ 1×', reached: a <= b }
}

async function sentBytes(server: BenchServer, work: () => Promise<unknown>): Promise<number> {
  const before = await server.makeReady()
  await work()
  return (await server.makeReady()) - before
}

if (process.argv[1] === import.meta.filename) {
  const rows = await run({ pairs: Number(process.argv[2] ?? 5), say: (line) => console.error(line) })
  console.log(markdown([{ name: 'git', rows }]))
}
