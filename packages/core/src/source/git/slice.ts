import { setImmediate } from 'node:timers/promises'
import { type Call, throwIfAborted } from '../../runtime/call.ts'

/** Splits long computing into slices, so that the event loop stays free for everything else. */
export interface Slicer {
  /** Adds work done since the last call; tells whether a slice is full and `pause` is due. */
  isFull(cost: number): boolean
  /** Lets the event loop run, then starts the next slice. Throws when the call was aborted. */
  pause(): Promise<void>
}

/** Cost of one slice, in bytes; one object costs `OBJECT_COST` besides its bytes. About 10 ms. */
const SLICE_COST = 2 ** 20
export const OBJECT_COST = 2_000

/**
 * Slices are measured in work, not in time: the same input is cut at the same places on every
 * machine and under every clock.
 */
export function createSlicer(call?: Pick<Call, 'signal'>): Slicer {
  let spent = 0
  return {
    isFull: (cost) => {
      spent += cost
      return spent >= SLICE_COST
    },
    pause: async () => {
      spent = 0
      await setImmediate()
      if (call !== undefined) throwIfAborted(call)
    },
  }
}
