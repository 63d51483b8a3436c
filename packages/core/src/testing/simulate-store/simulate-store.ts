import type { Clock } from '../../runtime/clock.ts'
import { type Actor, happen } from './happenings.ts'
import { becomeQuiet, checkEnd } from './quiet.ts'
import { worker } from './worker.ts'
import type { Store } from './store.ts'
import { type StoreBug, createWorld } from './world.ts'

/** What is simulated. */
export interface StoreSimulation {
  readonly seed: number
  readonly bug?: StoreBug | undefined
  /** Steps before the world becomes quiet. @defaultValue 120 */
  readonly steps?: number
  /** Makes an empty store whose time is that of the clock. @defaultValue one in memory */
  readonly createStore?: (clock: Clock) => Store
}

/** What came of it. */
export interface StoreSimulationResult {
  readonly seed: number
  readonly steps: number
  /** Broken promises, in words. */
  readonly violations: readonly string[]
}

/**
 * Plays workers over one store: they claim, write the inventory, write to a fencing target, prune, complete; they die
 * between any two statements, rest for longer than their lease and go on, answers get lost, backups come back, clocks are
 * wrong. In the end everything must be as declared, with nothing lost and nothing left behind.
 */
export async function simulateStore(options: StoreSimulation): Promise<StoreSimulationResult> {
  const { seed, bug, steps = 120 } = options
  const world = createWorld(seed, bug, options.createStore)
  const actors: Actor[] = [1, 2, 3].map((id) => {
    const machine = { skewMs: (world.random.next() - 0.5) * 7_200_000, rate: 0.75 + world.random.next() / 2 }
    return { id, machine, steps: worker(world, id, machine), restUntilMs: 0 }
  })
  let taken = 0
  for (; taken < steps; taken++) await happen(world, actors)
  taken += await becomeQuiet(world, actors)
  checkEnd(world)
  await world.store[Symbol.asyncDispose]?.()
  return { seed, steps: taken, violations: [...world.violations] }
}
