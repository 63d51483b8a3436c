import type { Ledger } from '../ledger/ledger.ts'
import type { Completion, Queue, Release } from '../queue/queue.ts'
import type { Call } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { Random } from '../runtime/random.ts'
import { type FaultSchedule, randomFaults, withFaults } from './faults.ts'

/**
 * A ledger that refuses calls as `schedule` says, or does them and loses the answer, under somebody who finds out by reading
 * what became of it, and asks again where nothing did: what the conformance suites run against besides the ledger
 * itself. Faults are those of `outages`, or `fail` with `LEDGER_UNAVAILABLE`.
 */
export function patientLedger<L extends Ledger>(ledger: L, schedule: FaultSchedule): L {
  return patient(withFaults(ledger, schedule), ledger, '')
}

/** Calls that may be made again, or of which can be read that they were made. The answer to a claim is lost with the claim. */
const losable: ReadonlySet<string> = new Set([
  'read',
  'commit',
  'installKey',
  'queue.enqueue',
  'queue.extend',
  'queue.complete',
  'queue.release',
  'queue.forget',
  'queue.afterRestore',
  'queue.items',
])

/** Outages of a store: of the calls, a part `rate` is refused or, where that makes sense, done without an answer. */
export function outages(random: Random, rate: number): FaultSchedule {
  const refused = new GitOpsError('LEDGER_UNAVAILABLE', 'Not now.')
  const lost = new GitOpsError('LEDGER_UNAVAILABLE', 'It may have happened.', { details: { isLost: true } })
  const anything = randomFaults(random, rate, [
    { kind: 'fail', error: refused },
    { kind: 'lose', error: lost },
  ])
  return (point) => {
    const fault = anything(point)
    return fault?.kind === 'lose' && !losable.has(point.method) ? { kind: 'fail', error: refused } : fault
  }
}

/** An outage that outlasts this is one the suite should see. */
const maxAttempts = 100

function patient<T extends object>(port: T, ledger: Ledger, prefix: string): T {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof name === 'symbol') return member
      if (typeof member === 'object' && member !== null) return patient(member, ledger, `${name}.`)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown =>
        askAgain(
          () => Reflect.apply(member, target, args),
          () => foundOut(`${prefix}${name}`, args, ledger),
        )
    },
  })
}

/** What a call came to whose answer was lost; `undefined` for one that is harmless to make again. */
async function foundOut(method: string, args: readonly unknown[], ledger: Ledger): Promise<unknown> {
  const call = args.at(-1) as Call
  if (method === 'commit') return (await ledger.read(args[0] as string, call)).version
  if (method !== 'queue.complete' && method !== 'queue.release') return undefined
  const claims = (args[0] as readonly (Completion | Release)[]).map(({ claim }) => claim)
  const items = await (ledger.queue as Queue).items({ keys: claims.map(({ key }) => key) }, call)
  const isOver = (key: string, token: number): boolean =>
    items.some((item) => item.key === key && item.token === token && item.worker === undefined)
  return claims.filter(({ key, token }) => isOver(key, token)).map(({ key }) => key)
}

/** Awaited, it is asked until it answers; read as a stream, it is begun again. */
function askAgain(make: () => unknown, findOut: () => Promise<unknown>): PromiseLike<unknown> & AsyncIterable<unknown> {
  const answer = async (): Promise<unknown> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await make()
      } catch (error) {
        if (!isUnavailable(error) || attempt === maxAttempts) throw error
        const found = error.details['isLost'] === true ? await findOut() : undefined
        if (found !== undefined) return found
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

function isUnavailable(error: unknown): error is GitOpsError {
  return error instanceof GitOpsError && error.code === 'LEDGER_UNAVAILABLE'
}
