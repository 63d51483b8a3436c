import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { type BenchmarkOptions, type Row, figure, missing } from '../harness.ts'

/** What an idle platform takes. Watched objects are measured by the Kubernetes benchmark, which has a server. */
export async function run({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  say('a hundred idle applications of twenty resources')
  const values = Array.from({ length: 5 }, idleMib)
  const ours = figure(values)
  const idle = { name: 'idle with 100 applications of 20 resources, memory targets', unit: 'MiB', ours }
  const elsewhere = 'see the rows of `bench --only kubernetes`, which needs an API server'
  return [
    { ...idle, goal: '< 80 MiB', reached: ours.median < 80 },
    missing('memory per 10k watched objects', '@kubernetes/client-node informer', elsewhere),
  ]
}

function idleMib(): number {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-sdk-idle-'))
  try {
    const outfile = join(folder, 'idle.mjs')
    const entry = join(import.meta.dirname, 'idle.ts')
    const shape = { bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile } as const
    buildSync({ entryPoints: [entry], conditions: ['@gitops-sdk/source'], banner: requireBanner, ...shape })
    return Number(execFileSync(process.execPath, ['--expose-gc', outfile], { encoding: 'utf8' }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Some dependencies are CommonJS and ask for `require`. */
const requireBanner = {
  js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
}
