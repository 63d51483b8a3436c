import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { buildSync } from 'esbuild'
import { type BenchmarkOptions, type Row, count, figure, growthExponent, missing } from '../harness.ts'

/**
 * V8 gives back what the first run needed once it sees that little is allocated: 40 to 130 seconds after it, by itself, with
 * our polls going on. Only then a platform is idle.
 */
const idleMs = 150_000

/** What an idle platform takes. Watched objects are measured by the Kubernetes benchmark, which has a server. */
export async function run({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  return withProgram(async (program) => {
    const name = 'with 100 applications of 20 resources, memory targets'
    say(`idle ${name}, for ${idleMs / 1000} seconds`)
    const held = await Promise.all(Array.from({ length: 3 }, () => hold(program, 100, idleMs)))
    const idle = figure(held.map(({ rssMib }) => rssMib))
    return [
      { name: `idle ${name}`, unit: 'MiB', ours: idle, goal: '< 80 MiB', reached: idle.median < 80 },
      { name: `right after the first run ${name}`, unit: 'MiB', ours: figure(held.map((each) => each.firstRunMib)) },
      ...(await growth(program, say)),
      missing('memory per 10k watched objects', '@kubernetes/client-node informer', elsewhere),
    ]
  })
}

const elsewhere = 'see the rows of `bench --only kubernetes`, which needs an API server'

/** The heap above that of a platform without applications. What the process takes besides does not grow with them. */
async function growth(program: string, say: BenchmarkOptions['say']): Promise<Row[]> {
  const empty = (await hold(program, 0)).heapMib
  const sizes = [10, 100, 1_000]
  const heaps: number[] = []
  for (const applications of sizes) {
    say(`${applications} applications`)
    heaps.push((await hold(program, applications)).heapMib - empty)
  }
  const rows = sizes.map((size, at): Row => {
    return { name: `heap of ${size} applications of 20 resources`, unit: 'MiB', ours: figure([heaps[at] ?? 0]) }
  })
  return [...rows, count('growth of an idle heap (1 is linear)', growthExponent(sizes, heaps), 'exponent', 1.05)]
}

interface Held {
  readonly firstRunMib: number
  readonly rssMib: number
  readonly heapMib: number
}

/** What a process that does nothing else takes for so many applications, after being idle for so long. */
async function hold(program: string, applications: number, idleForMs = 0): Promise<Held> {
  const args = ['--expose-gc', program, String(applications), String(idleForMs)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Held
}

async function withProgram<T>(work: (program: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-sdk-idle-'))
  try {
    const outfile = join(folder, 'idle.mjs')
    const entry = join(import.meta.dirname, 'idle.ts')
    const shape = { bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile } as const
    buildSync({ entryPoints: [entry], conditions: ['@gitops-sdk/source'], banner: requireBanner, ...shape })
    return await work(outfile)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Some dependencies are CommonJS and ask for `require`. */
const requireBanner = {
  js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
}
