import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { type BenchmarkOptions, type Row, count, figure, growthExponent, missing } from '../harness.ts'

/** What an idle platform takes. Watched objects are measured by the Kubernetes benchmark, which has a server. */
export async function run({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  return withProgram((program) => {
    say('a hundred idle applications of twenty resources')
    const ours = figure(Array.from({ length: 5 }, () => idle(program, 100).rssMib))
    const name = 'idle with 100 applications of 20 resources, memory targets'
    return [
      { name, unit: 'MiB', ours, goal: '< 80 MiB', reached: ours.median < 80 },
      ...growth(program, say),
      missing('memory per 10k watched objects', '@kubernetes/client-node informer', elsewhere),
    ]
  })
}

const elsewhere = 'see the rows of `bench --only kubernetes`, which needs an API server'

/** The heap above that of a platform without applications. What the process takes besides does not grow with them. */
function growth(program: string, say: BenchmarkOptions['say']): Row[] {
  const empty = idle(program, 0).heapMib
  const sizes = [10, 100, 1_000]
  const heaps = sizes.map((applications) => {
    say(`${applications} idle applications`)
    return idle(program, applications).heapMib - empty
  })
  const rows = sizes.map((size, at): Row => {
    return { name: `heap of ${size} applications of 20 resources`, unit: 'MiB', ours: figure([heaps[at] ?? 0]) }
  })
  return [...rows, count('growth of an idle heap (1 is linear)', growthExponent(sizes, heaps), 'exponent', 1.05)]
}

interface Idle {
  readonly rssMib: number
  readonly heapMib: number
}

function idle(program: string, applications: number): Idle {
  const args = ['--expose-gc', program, String(applications)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Idle
}

function withProgram<T>(work: (program: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-sdk-idle-'))
  try {
    const outfile = join(folder, 'idle.mjs')
    const entry = join(import.meta.dirname, 'idle.ts')
    const shape = { bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile } as const
    buildSync({ entryPoints: [entry], conditions: ['@gitops-sdk/source'], banner: requireBanner, ...shape })
    return work(outfile)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Some dependencies are CommonJS and ask for `require`. */
const requireBanner = {
  js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
}
