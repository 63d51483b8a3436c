/** The longest rising subsequence of distinct numbers, in O(n log n) (patience sorting). */
export function longestRising(values: readonly number[]): number[] {
  const tails: number[] = []
  const before = new Map<number, number>()
  for (const value of values) {
    const pile = firstAtLeast(tails, value)
    if (pile > 0) before.set(value, tails[pile - 1]!)
    tails[pile] = value
  }
  const rising: number[] = []
  for (let value = tails.at(-1); value !== undefined; value = before.get(value)) rising.push(value)
  return rising.reverse()
}

function firstAtLeast(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
