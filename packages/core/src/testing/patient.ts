import type { Ledger } from '../ledger/ledger.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { type FaultSchedule, withFaults } from './faults.ts'

/**
 * A ledger that refuses calls as `schedule` says, under somebody who asks again: what the conformance suites run
 * against besides the ledger itself. Only faults of the kind `fail` with `LEDGER_UNAVAILABLE` make sense here.
 */
export function patientLedger<L extends Ledger>(ledger: L, schedule: FaultSchedule): L {
  return patient(withFaults(ledger, schedule))
}

/** An outage that outlasts this is one the suite should see. */
const maxAttempts = 100

function patient<T extends object>(port: T): T {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member === 'object' && member !== null) return patient(member)
      if (typeof member !== 'function' || typeof name === 'symbol') return member
      return (...args: unknown[]): unknown => askAgain(() => Reflect.apply(member, target, args))
    },
  })
}

/** Awaited, it is asked until it answers; read as a stream, it is begun again. */
function askAgain(make: () => unknown): PromiseLike<unknown> & AsyncIterable<unknown> {
  const answer = async (): Promise<unknown> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await make()
      } catch (error) {
        if (!isUnavailable(error) || attempt === maxAttempts) throw error
      }
    }
  }
  const stream = async function* (): AsyncGenerator<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return yield* make() as AsyncIterable<unknown>
      } catch (error) {
        if (!isUnavailable(error) || attempt === maxAttempts) throw error
      }
    }
  }
  let promise: Promise<unknown> | undefined
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- it is a promise, made when it is awaited
    then: (resolve, reject) => (promise ??= answer()).then(resolve, reject),
    [Symbol.asyncIterator]: () => stream(),
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof GitOpsError && error.code === 'LEDGER_UNAVAILABLE'
}
