// A process of its own: fetches everything of a repository, reads every file, and prints what it cost.
// node --import tsx --conditions=@gitops-sdk/source bench/git/cold-start.ts <url> [path]
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createCall } from '@gitops-sdk/core'
import { readAll } from './reading.ts'

const [url = '', path = ''] = process.argv.slice(2)
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
await readAll(url, path, createCall())
delay.disable()
const peakRssBytes = peakOfProgram()
console.log(JSON.stringify({ peakRssBytes, longestBlockMs: delay.max / 1e6 }))

/** What `getrusage` says is at least the memory of the process that started this one, which is the whole benchmark. */
function peakOfProgram(): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kib !== undefined) return Number(kib) * 1024
  } catch {
    // Only Linux tells.
  }
  return process.resourceUsage().maxRSS * 1024
}
