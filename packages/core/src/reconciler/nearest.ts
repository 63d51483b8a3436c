/** The name that was probably meant by `given`, if one is near. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const wanted = given.toLowerCase()
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  const ranked = names
    .map((name) => ({ name, distance: distance(wanted.slice(0, 64), name.toLowerCase()) }))
    .toSorted((left, right) => left.distance - right.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= limit ? best.name : undefined
}

/** How many letters have to be added, removed, replaced or swapped to make one word the other. */
function distance(left: string, right: string): number {
  let older: number[] = []
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1]
      const swapped = left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      const steps = [at(next, j - 1) + 1, at(row, j) + 1, at(row, j - 1) + (same ? 0 : 1)]
      next.push(Math.min(...steps, swapped ? at(older, j - 2) + 1 : Infinity))
    }
    older = row
    row = next
  }
  return at(row, right.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
