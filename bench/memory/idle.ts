// Holds a hundred applications that are done, and prints what that takes. A process of its own, started by run.ts.
import { createPlatform } from '../shapes/platform.ts'

const platform = createPlatform({ applications: 100, resources: 20 })
await platform.reconcile()
for (let round = 0; round < 5; round++) globalThis.gc?.()
console.log(Math.round(process.memoryUsage().rss / 2 ** 20))
process.exit(0)
