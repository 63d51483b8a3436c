import { abortError, type Call, sleep } from '../runtime/call.ts'
import type { GitOpsError } from '../runtime/errors.ts'
import type { Random } from '../runtime/random.ts'

/** What goes wrong with one call of a port. */
export type Fault =
  /** Refused: the call is not made. For a stream, after `afterItems` items (0 where absent). */
  | { readonly kind: 'fail'; readonly error: GitOpsError; readonly afterItems?: number }
  /** Made, and the answer is lost. */
  | { readonly kind: 'lose'; readonly error: GitOpsError }
  /** Made after a wait on the clock of the call. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Never answered: ends only when the call is aborted. */
  | { readonly kind: 'hang' }
  /** A stream that ends after so many items as if there were no more. */
  | { readonly kind: 'truncate'; readonly afterItems: number }
  /** Made twice; of a stream every item comes twice. */
  | { readonly kind: 'duplicate' }

/** One call of a port, as a schedule sees it. */
export interface FaultPoint {
  /** The name of the method; of what a method returned, the path: `snapshot.read`. */
  readonly method: string
  /** How many calls of this method came before. */
  readonly index: number
  readonly args: readonly unknown[]
}

/** Decides what goes wrong with a call; `undefined` lets it pass. */
export type FaultSchedule = (point: FaultPoint) => Fault | undefined

/** Faults by method: one entry per call, in order; `undefined` and whatever comes after the last lets it pass. */
export function scheduledFaults(byMethod: Readonly<Record<string, readonly (Fault | undefined)[]>>): FaultSchedule {
  return ({ method, index }) => (Object.hasOwn(byMethod, method) ? byMethod[method]?.[index] : undefined)
}

/** Faults at random: each call meets one of `faults` with probability `rate`. The same seed gives the same faults. */
export function randomFaults(random: Random, rate: number, faults: readonly Fault[]): FaultSchedule {
  return () => (random.next() < rate ? faults[Math.floor(random.next() * faults.length)] : undefined)
}

/**
 * The same port with faults: every method that takes a `Call` as its last argument asks the schedule
 * first, also the methods of what a method returns (a snapshot of a source).
 */
export function withFaults<Port extends object>(port: Port, schedule: FaultSchedule): Port {
  return wrap(port, '', schedule, new Map())
}

function wrap<Port extends object>(port: Port, prefix: string, schedule: FaultSchedule, counts: Counts): Port {
  const below = (value: unknown, method: string): unknown =>
    hasMethods(value) ? wrap(value, `${method}.`, schedule, counts) : value
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof name === 'symbol') return typeof member === 'function' ? member.bind(target) : member
      const method = `${prefix}${name}`
      if (typeof member !== 'function') return below(member, method)
      return (...args: unknown[]): unknown => {
        const make = (): unknown => Reflect.apply(member, target, args)
        const fault = faultOf(method, args, schedule, counts)
        const answer = fault === undefined ? make() : faulty(make, fault.fault, fault.call)
        return isStream(answer) ? answer : eventually(answer, (value) => below(value, method))
      }
    },
  })
}

type Counts = Map<string, number>

function faultOf(
  method: string,
  args: readonly unknown[],
  schedule: FaultSchedule,
  counts: Counts,
): { readonly fault: Fault; readonly call: Call } | undefined {
  const call = args.at(-1)
  if (!isCall(call)) return undefined
  const index = counts.get(method) ?? 0
  counts.set(method, index + 1)
  const fault = schedule({ method, index, args })
  return fault && { fault, call }
}

/**
 * Answers as what it is used as: a promise when it is awaited, a stream when it is read. Whether a
 * method streams is known only from its answer, and a call that is to fail must not be made.
 */
function faulty(make: () => unknown, fault: Fault, call: Call): PromiseLike<unknown> & AsyncIterable<unknown> {
  let promise: Promise<unknown> | undefined
  const answer = (): Promise<unknown> => (promise ??= faultyAnswer(make, fault, call))
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- it is a promise, made when it is awaited
    then: (resolve, reject) => answer().then(resolve, reject),
    [Symbol.asyncIterator]: () => faultyStream(make, fault, call)[Symbol.asyncIterator](),
  }
}

async function faultyAnswer(make: () => unknown, fault: Fault, call: Call): Promise<unknown> {
  if (fault.kind === 'fail') throw fault.error
  if (fault.kind === 'hang') return untilAbort(call)
  if (fault.kind === 'delay') await sleep(fault.delayMs, call)
  const value = await make()
  if (fault.kind === 'lose') throw fault.error
  return fault.kind === 'duplicate' ? make() : value
}

async function* faultyStream(make: () => unknown, fault: Fault, call: Call): AsyncIterable<unknown> {
  if (fault.kind === 'hang') return void (await untilAbort(call))
  if (fault.kind === 'delay') await sleep(fault.delayMs, call)
  let left = 'afterItems' in fault ? (fault.afterItems ?? 0) : fault.kind === 'fail' ? 0 : Infinity
  const answer = left === 0 ? [] : make()
  if (isStream(answer)) {
    for await (const item of answer) {
      yield item
      if (fault.kind === 'duplicate') yield item
      if (--left <= 0) break
    }
  }
  if (fault.kind === 'fail' || fault.kind === 'lose') throw fault.error
}

function untilAbort({ signal }: Call): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(abortError(signal))
    else signal.addEventListener('abort', () => reject(abortError(signal)), { once: true })
  })
}

function eventually(answer: unknown, change: (value: unknown) => unknown): unknown {
  return answer instanceof Promise ? answer.then(change) : answer
}

function isCall(value: unknown): value is Call {
  return typeof value === 'object' && value !== null && 'signal' in value && 'clock' in value
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

function hasMethods(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && Object.values(value).some((member) => typeof member === 'function')
  )
}
