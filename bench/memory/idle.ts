// Holds applications that are done, and prints what that takes. A process of its own, started by run.ts with the number
// of applications and how long it is idle, in milliseconds.
import { setTimeout } from 'node:timers/promises'
import { settledMemory } from '../settled-memory.ts'
import { createPlatform } from '../shapes/platform.ts'

const [applications = 0, idleMs = 0] = process.argv.slice(2).map(Number)
const platform = createPlatform({ applications, resources: 20 })
await platform.reconcile()
const { rss: rssAfterFirstRun } = process.memoryUsage()
platform.start()
await setTimeout(idleMs)
const { rss } = process.memoryUsage()
// What is held, not what is waiting to be collected.
const { heapUsed } = settledMemory()
const inMib = (bytes: number): number => bytes / 2 ** 20
console.log(JSON.stringify({ firstRunMib: inMib(rssAfterFirstRun), rssMib: inMib(rss), heapMib: inMib(heapUsed) }))
process.exit(0)
