// npx -y pnpm@12 simulate --seeds 20000 [--from 1] [--processes 2]   many worlds, and the seeds of any that broke a promise
// npx -y pnpm@12 simulate --shared | --store                         the engine over a shared ledger; the store alone, with crashes between any two statements
// npx -y pnpm@12 simulate --seed 205                                 one world, with everything that happened in it
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type SimulationResult, simulate, simulateStore } from '@gitops-sdk/core/testing'

interface Part {
  readonly seeds: number
  readonly steps: number
  readonly broken: readonly SimulationResult[]
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    processes: { type: 'string', default: String(availableParallelism()) },
    part: { type: 'string' },
    shared: { type: 'boolean', default: false },
    store: { type: 'boolean', default: false },
  },
})

const modes = [values.shared ? ['--shared'] : [], values.store ? ['--store'] : []].flat()

if (values.seed !== undefined) process.exitCode = await replay(Number(values.seed))
else if (values.part !== undefined)
  process.send?.(await runPart(Number(values.from), Number(values.seeds), Number(values.part)))
else process.exitCode = await runAll(Number(values.from), Number(values.seeds), Number(values.processes))

/** The world of the engine, or that of the store alone, which is small. */
async function play(seed: number): Promise<SimulationResult> {
  if (!values.store) return simulate({ seed, faults: { shared: values.shared } })
  const { violations, steps } = await simulateStore({ seed })
  return { seed, steps, trace: [], violations: violations.map((message) => ({ invariant: 2, message })) }
}

async function replay(seed: number): Promise<number> {
  const { trace, violations } = await play(seed)
  console.log(trace.join('\n'))
  console.log(`seed ${seed}: ${violations.length} violations`)
  return violations.length === 0 ? 0 : 1
}

async function runAll(from: number, seeds: number, processes: number): Promise<number> {
  const started = Date.now()
  const parts = await Promise.all(
    Array.from({ length: processes }, (_, index) => forkPart(from, seeds, processes, index)),
  )
  const broken = parts.flatMap((part) => part.broken)
  const steps = parts.reduce((sum, part) => sum + part.steps, 0)
  for (const { seed, violations } of broken) {
    for (const { invariant, message } of violations) console.log(`seed ${seed}: invariant ${invariant}: ${message}`)
  }
  const seconds = Math.round((Date.now() - started) / 1000)
  console.log(`${seeds} seeds, ${steps} steps, ${broken.length} seeds with violations, ${seconds} s`)
  console.log(`Tests  ${seeds - broken.length} passed, ${broken.length} failed`)
  return broken.length === 0 ? 0 : 1
}

/** Each process takes every n-th seed. */
function forkPart(from: number, seeds: number, processes: number, index: number): Promise<Part> {
  const args = ['--from', String(from + index), '--seeds', String(seeds - index), '--part', String(processes)].concat(
    modes,
  )
  const child = fork(fileURLToPath(import.meta.url), args)
  return new Promise((resolve, reject) => {
    child.once('message', (part: Part) => resolve(part))
    child.once('exit', (code) => reject(new Error(`A process of the simulation ended early (${code}).`)))
  })
}

async function runPart(from: number, seeds: number, every: number): Promise<Part> {
  const broken: SimulationResult[] = []
  let steps = 0
  for (let seed = from; seed < from + seeds; seed += every) {
    const result = await play(seed)
    steps += result.steps
    if (result.violations.length > 0) broken.push({ ...result, trace: [] })
  }
  return { seeds, steps, broken }
}
