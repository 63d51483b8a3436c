// Holds applications that are done, and prints what that takes. A process of its own, started by run.ts.
import { settledMemory } from '../settled-memory.ts'
import { createPlatform } from '../shapes/platform.ts'

const platform = createPlatform({ applications: Number(process.argv[2]), resources: 20 })
await platform.reconcile()
const { rss, heapUsed } = settledMemory()
console.log(JSON.stringify({ rssMib: Math.round(rss / 2 ** 20), heapMib: heapUsed / 2 ** 20 }))
process.exit(0)
