// One process of many that work on a queue and do nothing. It tells its parent when it is ready, how many handlers began, and in
// the end how often each key was run.
import { writeFileSync } from 'node:fs'
import { engines } from './engines/by-name.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './fleet.ts'

const { engine: name, place, keys, batch, tellsEach, out } = JSON.parse(process.argv[2] ?? '') as WorkerOptions
const runs = new Uint8Array(keys)
let began = 0
let told = 0
let settledNs = 0n

const engine = await engines[name](place)
let working: AsyncDisposable | undefined
const tell = (message: FromWorker): void => void process.send?.(message)
const ticking = setInterval(() => {
  if (began === told) return
  told = began
  tell({ began })
}, 20)

process.on('message', (message: ToWorker) => {
  void (message === 'go' ? go() : end())
})
tell({ ready: true })

async function go(): Promise<void> {
  working = await engine.work(batch, {
    began: (key) => {
      began++
      runs[key] = (runs[key] ?? 0) + 1
      if (tellsEach) tell({ key, atNs: String(process.hrtime.bigint()) })
    },
    settled: () => void (settledNs = process.hrtime.bigint()),
  })
  tell({ working: true })
}

async function end(): Promise<void> {
  clearInterval(ticking)
  await working?.[Symbol.asyncDispose]()
  writeFileSync(out, runs)
  tell({ settledNs: String(settledNs) })
  process.disconnect()
  await engine[Symbol.asyncDispose]()
  process.exit(0)
}
