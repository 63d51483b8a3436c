import type { Ledger } from '../../ledger/ledger.ts'
import type { Random } from '../../runtime/random.ts'
import type { JsonObject } from '../../runtime/json.ts'
import type { MemorySource } from '../../source/memory.ts'
import type { ManualClock } from '../clock.ts'
import type { MemorySystem } from '../memory-system.ts'

/** Everything that outlives a process: stores, the managed system, the ledger, time. */
export interface Stage {
  readonly seed: number
  readonly clock: ManualClock
  /** Decides what happens. Drawn in one order, so that a seed replays. */
  readonly random: Random
  readonly system: MemorySystem
  readonly ledger: Ledger
  readonly applications: readonly SimulatedApplication[]
  readonly trace: string[]
  readonly deaths: boolean
  /** Zero while the world is quiet. */
  faultRate: number
}

export interface SimulatedApplication {
  readonly name: string
  readonly mode: 'automatic' | 'approve'
  readonly source: MemorySource
  /** What each revision declares, by revision id, then by resource name. Absent for a broken one. */
  readonly declared: Map<string, ReadonlyMap<string, JsonObject>>
  /** Rises with each commit and is part of every body. */
  generation: number
}

/** Writes one line into the trace. */
export function note({ trace, clock }: Pick<Stage, 'trace' | 'clock'>, line: string): void {
  trace.push(`${String(clock.monotonic()).padStart(9)} ms  ${line}`)
}

/** One of `items`. */
export function pick<T>({ random }: Pick<Stage, 'random'>, items: readonly T[]): T {
  return items[Math.floor(random.next() * items.length)]!
}

/** True with this probability. */
export function chance({ random }: Pick<Stage, 'random'>, probability: number): boolean {
  return random.next() < probability
}
