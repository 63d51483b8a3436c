// A process of its own: fetches everything of a repository, reads every file, and prints what it cost.
// node --import tsx --conditions=@gitops-sdk/source bench/git/cold-start.ts <url> [path]
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { GitOpsError, createCall, walk } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'

const [url = '', path = ''] = process.argv.slice(2)
const call = createCall()
const idleRssBytes = process.memoryUsage.rss()
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
await using source = gitSource({ url, path })
const snapshot = await source.snapshot(await source.resolve(call), call)
let bytes = 0
for await (const entry of walk(snapshot, '', call)) {
  if (entry.type !== 'file') continue
  // A repository of somebody else's may hold pointers to files that are elsewhere.
  const content = await snapshot.read(entry.path, call).catch(ignorePointer)
  bytes += content?.byteLength ?? 0
}
delay.disable()
const peakRssBytes = peakOfProgram()
console.log(JSON.stringify({ bytes, idleRssBytes, peakRssBytes, longestBlockMs: delay.max / 1e6 }))

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

function ignorePointer(error: unknown): undefined {
  if (error instanceof GitOpsError && error.code === 'SOURCE_LFS_POINTER') return undefined
  throw error
}
