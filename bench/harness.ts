/** What a benchmark module exports as `run`. */
export type Benchmark = (options: BenchmarkOptions) => Promise<readonly Row[]>

export interface BenchmarkOptions {
  /** Counted pairs of each comparison. */
  readonly pairs: number
  /** A repository of the user's, for the rows that can use one. */
  readonly repo?: string
  /** Tells a person what is being measured. */
  readonly say: (line: string) => void
}

/** One line of the table. */
export interface Row {
  /** `poll, nothing new, 10k files`. */
  readonly name: string
  /** What a user would pick instead: `git ls-remote`. Absent for a count. */
  readonly peer?: string
  readonly unit: string
  readonly ours: Figure
  readonly theirs?: Figure
  /** Ours divided by theirs, pair by pair. */
  readonly ratio?: Figure
  /** What was promised, such as `≤ 0.25×`, and whether it was reached. */
  readonly goal?: string
  readonly reached?: boolean
  /** Why there is no figure: `kubectl is not installed`. */
  readonly missing?: string
}

/** A median with the smallest and largest of the runs. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The median, smallest and largest of `values`. */
export function figure(values: readonly number[]): Figure {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  const median =
    sorted.length % 2 === 1 ? at(sorted, Math.floor(middle)) : (at(sorted, middle - 1) + at(sorted, middle)) / 2
  return { median, min: at(sorted, 0), max: at(sorted, sorted.length - 1) }
}

function at(sorted: readonly number[], index: number): number {
  return sorted[index] ?? Number.NaN
}

export interface Pair {
  readonly name: string
  readonly peer: string
  readonly pairs: number
  /** Pairs that run first and are not counted. @defaultValue 1 */
  readonly warmup?: number
  /** Makes what both will meet, before each pair; not counted. */
  readonly before?: () => Promise<unknown>
  readonly ours: () => Promise<unknown>
  readonly theirs: () => Promise<unknown>
  /** Ratio of ours to theirs that is to be reached, at most. */
  readonly atMost?: number
}

/**
 * Runs ours and theirs in turn, so that a machine whose speed drifts slows both, and compares pair by
 * pair. The order inside a pair alternates.
 */
export async function compare(pair: Pair): Promise<Row> {
  const ours: number[] = []
  const theirs: number[] = []
  const warmup = pair.warmup ?? 1
  for (let round = 0; round < warmup + pair.pairs; round++) {
    await pair.before?.()
    const [a, b] = round % 2 === 0 ? await inOrder(pair.ours, pair.theirs) : swap(await inOrder(pair.theirs, pair.ours))
    if (round < warmup) continue
    ours.push(a)
    theirs.push(b)
  }
  return paired(pair, ours, theirs)
}

/** The row of times, in milliseconds, that were measured in pairs. */
export function paired(
  { name, peer, atMost }: Pick<Pair, 'name' | 'peer' | 'atMost'>,
  ours: readonly number[],
  theirs: readonly number[],
): Row {
  const ratio = figure(ours.map((value, index) => value / at(theirs, index)))
  const goal =
    atMost === undefined ? {} : { goal: `≤ ${Number(atMost.toPrecision(3))}×`, reached: ratio.median <= atMost }
  return { name, peer, unit: 'ms', ours: figure(ours), theirs: figure(theirs), ratio, ...goal }
}

async function inOrder(
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<readonly [number, number]> {
  return [await elapsedMs(first), await elapsedMs(second)]
}

function swap(times: readonly [number, number]): readonly [number, number] {
  return [times[1], times[0]]
}

/** Gives how long it took itself: where it was done in another process, being asked and answering is not counted. */
export interface Timed {
  readonly elapsedMs: number
}

/** Wall time of `work` in milliseconds, or what it gives as `Timed`. */
export async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  const result = await work()
  return isTimed(result) ? result.elapsedMs : performance.now() - start
}

function isTimed(result: unknown): result is Timed {
  return typeof result === 'object' && result !== null && 'elapsedMs' in result
}

/** Does `work` for each item, as many at a time as `xargs -P` would. */
export async function inParallel<T>(
  atOnce: number,
  items: Iterable<T>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** A row for a count, which needs no peer: requests, processes, bytes. */
export function count(name: string, value: number, unit: string, atMost?: number): Row {
  const ours = figure([value])
  return { name, unit, ours, ...(atMost === undefined ? {} : { goal: `≤ ${atMost}`, reached: value <= atMost }) }
}

/** A row that could not be measured, with the reason. It is printed, never dropped. */
export function missing(name: string, peer: string, reason: string): Row {
  return { name, peer, unit: '', ours: figure([]), missing: reason }
}

/**
 * The exponent of growth: 1 is linear. Fits a line through the logarithms of `sizes` and `costs`.
 */
export function growthExponent(sizes: readonly number[], costs: readonly number[]): number {
  const x = sizes.map(Math.log)
  const y = costs.map(Math.log)
  const meanX = mean(x)
  const meanY = mean(y)
  const covariance = mean(x.map((value, index) => (value - meanX) * (at(y, index) - meanY)))
  return covariance / mean(x.map((value) => (value - meanX) ** 2))
}

/** How the medians of the rows of one name grow with their sizes: ours, and the peer's on the same machine. */
export function growthRow(name: string, sizes: readonly number[], rows: readonly Row[], atMost?: number): Row {
  const ours = growthExponent(
    sizes,
    rows.map((row) => row.ours.median),
  )
  const row = count(`growth of ${name} (1 is linear)`, ours, 'exponent', atMost)
  const peers = rows.flatMap(({ theirs }) => theirs?.median ?? [])
  if (peers.length < rows.length) return row
  return { ...row, peer: rows[0]?.peer ?? '', theirs: figure([growthExponent(sizes, peers)]) }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
