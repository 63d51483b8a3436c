// npx -y pnpm@12 soak [--minutes 10] [--applications 1000] [--resources 20]   real time, with churn: memory stays flat, nothing is left behind
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parseArgs } from 'node:util'
import { createReconciler, memoryLedger, memorySource, type Application, type Source } from '@gitops-sdk/core'
import { memorySystem, memoryTarget, type MemorySystem } from '@gitops-sdk/core/testing'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    applications: { type: 'string', default: '1000' },
    resources: { type: 'string', default: '20' },
  },
})
const applications = Number(values.applications)
const resources = Number(values.resources)
const totalMs = Number(values.minutes) * 60_000
/** A quarter of the time fills caches, compiles what is hot and lets every application meet some churn. */
const warmUpMs = totalMs / 4
/** Memory may rise by this part from the first third of the measurements to the last. */
const allowedGrowth = 0.1

/** An application of a state store that keeps nothing: what it declares follows from a number. */
interface Churned {
  readonly name: string
  readonly system: MemorySystem
  generation: number
  readonly source: Source
}

function churned(index: number): Churned {
  const name = `application-${index}`
  const self: Churned = { name, system: memorySystem(), generation: 1, source: undefined as unknown as Source }
  const revision = () => ({ id: `${name}-${self.generation}` })
  const source: Source = {
    id: name,
    resolve: async () => revision(),
    snapshot: async (asked, call) => {
      const store = memorySource({ files: filesOf(name, Number(asked.id.split('-').at(-1))) })
      const snapshot = await store.snapshot(await store.resolve(call), call)
      return { ...snapshot, revision: asked }
    },
  }
  return Object.assign(self, { source })
}

function filesOf(name: string, generation: number): Record<string, string> {
  const files: Record<string, string> = {}
  for (let index = 0; index < resources; index++) {
    files[`item/${name}-${index}.json`] = JSON.stringify({ generation: index === 0 ? generation : 1, index })
  }
  return files
}

const gc = exposeGc()
const all = Array.from({ length: applications }, (_, index) => churned(index))
const counts = { commits: 0, edits: 0, runs: 0, healed: 0, failed: 0 }
const warnings: string[] = []
process.on('warning', ({ name, message }) => void warnings.push(`${name}: ${message}`))
const reconciler = createReconciler({
  applications: all.map(({ name, source, system }): Application => ({
    name,
    source,
    target: memoryTarget({ id: name, system }),
    policy: { prune: true, intervalMs: 30_000, oscillationLimit: 1_000_000 },
  })),
  // A history that is full from the start: what it keeps on purpose is not to be taken for a leak.
  ledger: memoryLedger({ installKey: new Uint8Array(32), maxRuns: 1, maxAuditRecords: 1_000 }),
})
reconciler.on('finished', () => void counts.runs++)
reconciler.on('failed', () => void counts.failed++)
reconciler.on('driftResolved', () => void counts.healed++)
reconciler.start()

const samples: { readonly atMs: number; readonly heapBytes: number }[] = []
const started = performance.now()
const churn = setInterval(disturb, 50)
const measure = setInterval(sample, Math.max(1_000, totalMs / 60))
await new Promise((resolve) => setTimeout(resolve, totalMs))
clearInterval(churn)
clearInterval(measure)
sample()
await reconciler[Symbol.asyncDispose]()
await new Promise((resolve) => setTimeout(resolve, 100))
report()

/** A commit and an edit by hand, twenty times a second. */
function disturb(): void {
  const committed = all[Math.floor(Math.random() * all.length)]!
  committed.generation++
  counts.commits++
  reconciler.trigger(committed.name)
  const edited = all[Math.floor(Math.random() * all.length)]!
  const found = [...edited.system.live.values()][0]
  if (found === undefined) return
  edited.system.edit(found.ref, { ...found.body, index: -1 })
  counts.edits++
}

function sample(): void {
  gc()
  const atMs = performance.now() - started
  const { heapUsed, rss } = process.memoryUsage()
  if (atMs >= warmUpMs) samples.push({ atMs, heapBytes: heapUsed })
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
  console.log(
    `${(atMs / 1000).toFixed(0).padStart(4)} s  heap ${mib(heapUsed)} MiB  rss ${mib(rss)} MiB  ${counts.runs} runs  ${counts.commits} commits  ${counts.healed} of ${counts.edits} edits healed  ${counts.failed} failed`,
  )
}

function report(): void {
  const third = Math.max(1, Math.floor(samples.length / 3))
  const first = median(samples.slice(0, third).map(({ heapBytes }) => heapBytes))
  const last = median(samples.slice(-third).map(({ heapBytes }) => heapBytes))
  const growth = last / first - 1
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const problems = [
    ...(growth > allowedGrowth ? [`the heap grew by ${(growth * 100).toFixed(1)} %`] : []),
    ...(timers > 0 ? [`${timers} timers are left after stop`] : []),
    ...(counts.failed > 0 ? [`${counts.failed} runs failed`] : []),
    ...(counts.healed < counts.edits * 0.5 ? [`only ${counts.healed} of ${counts.edits} edits were healed`] : []),
    ...warnings,
  ]
  console.log(
    `heap ${growth >= 0 ? '+' : ''}${(growth * 100).toFixed(1)} % from the first third to the last, ${timers} timers left`,
  )
  for (const problem of problems) console.log(`PROBLEM: ${problem}`)
  console.log(`Tests  ${problems.length === 0 ? 1 : 0} passed, ${problems.length === 0 ? 0 : 1} failed`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? 0
}

function exposeGc(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
