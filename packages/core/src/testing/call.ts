import type { RunCall } from '../runtime/call.ts'
import { silentLog } from '../runtime/log.ts'
import { seededRandom } from '../runtime/random.ts'
import { manualClock, type ManualClock } from './clock.ts'

/** A call for tests: its clock moves when told, its randomness is the same every time. */
export interface TestCall extends RunCall {
  readonly clock: ManualClock
  /** Aborts the call. */
  abort(reason?: unknown): void
}

/** A call for the application `test`, where nothing else is given. */
export function testCall(given: Partial<Omit<TestCall, 'abort' | 'signal'>> = {}): TestCall {
  const controller = new AbortController()
  return {
    clock: manualClock(),
    log: silentLog,
    random: seededRandom(1),
    application: 'test',
    inputs: {},
    ...given,
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
  }
}
