/** What the process takes when nothing is left to be collected. Needs `--expose-gc`. */
export function settledMemory(): NodeJS.MemoryUsage {
  for (let round = 0; round < 5; round++) globalThis.gc?.()
  return process.memoryUsage()
}
