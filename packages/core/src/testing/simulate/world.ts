import { memoryLedger } from '../../ledger/memory.ts'
import { memoryQueue } from '../../queue/memory.ts'
import { seededRandom } from '../../runtime/random.ts'
import { memorySource } from '../../source/memory.ts'
import { manualClock } from '../clock.ts'
import { memorySystem } from '../memory-system.ts'
import { createChecks } from './checks.ts'
import type { World } from './process.ts'
import type { SimulatedApplication, Stage } from './stage.ts'

/** What may go wrong, and how often. */
export interface FaultMix {
  /** Part of the calls of every port that meet a fault. @defaultValue 0.05 */
  readonly rate?: number
  /** Whether processes die in the middle of what they do. @defaultValue true */
  readonly deaths?: boolean
  /** Whether the ledger is one that processes share, so that what a dead one held is free only when its lease ends. @defaultValue false */
  readonly shared?: boolean
}

/** A world in which nothing has happened yet. */
export function createWorld(seed: number, { rate = 0.05, deaths = true, shared = false }: FaultMix = {}): World {
  const random = seededRandom(seed)
  const clock = manualClock()
  const trace: string[] = []
  const application = (name: string, mode: SimulatedApplication['mode']): SimulatedApplication => ({
    name,
    mode,
    source: memorySource({ id: name }),
    declared: new Map(),
    generation: 0,
  })
  const stage: Stage = {
    seed,
    clock,
    random,
    trace,
    deaths,
    system: memorySystem(),
    ledger: memoryLedger({
      installKey: new Uint8Array(32),
      maxAuditRecords: 100_000,
      maxRuns: 100_000,
      ...(shared && { queue: memoryQueue({ clock }) }),
    }),
    applications: [application('alpha', 'automatic'), application('beta', 'approve')],
    faultRate: rate,
  }
  return Object.assign(stage, { checks: createChecks(stage), process: undefined, processes: 0 })
}
