import { refKey } from '../desired/ref.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { type Claim, type ClaimRequest, type Queue, type Wake, quarantineAfter } from '../queue/queue.ts'
import type { Call } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { testCall } from './call.ts'
import { check, checkRejects, checkSame } from './check.ts'
import { scheduledFaults, withFaults } from './faults.ts'

/** What `testQueueConformance` needs. */
export interface QueueConformance {
  /** Registers one test; the `test` of any runner fits. */
  readonly test: (name: string, run: () => Promise<void>) => unknown
  /** Makes an empty store: a ledger with a queue. Called once per test; the ledger is disposed at its end. */
  readonly createStore: () => QueueStore | Promise<QueueStore>
  /** Opens the store of a disposed ledger again. Absent for one that keeps nothing. */
  readonly reopenStore?: (store: QueueStore) => QueueStore | Promise<QueueStore>
}

/** A ledger with a queue, and a way to move the clock of its store. */
export interface QueueStore {
  readonly ledger: Ledger & { readonly queue: Queue }
  readonly advance: (durationMs: number) => void | Promise<void>
}

/** Registers the tests that every queue has to pass: a store that passes is supported. */
export function testQueueConformance({ test, createStore, reopenStore }: QueueConformance): void {
  for (const [name, run] of Object.entries(statements)) {
    test(name, async () => {
      const store = await createStore()
      try {
        await run(stage(store))
      } finally {
        await store.ledger[Symbol.asyncDispose]?.()
      }
    })
  }
  if (reopenStore === undefined) return
  test('everything is as it was after a restart, and tokens go on rising', async () => {
    const store = await createStore()
    const before = stage(store)
    await before.wake('pool/a', 'pool/b')
    const claim = await before.claimOne({ limit: 1 })
    await before.queue.complete([{ claim, note: { at: 'a' } }], before.call)
    const items = await before.queue.items({}, before.call)
    await store.ledger[Symbol.asyncDispose]?.()
    const after = stage(await reopenStore(store))
    try {
      const place = (all: typeof items): unknown => all.map((item) => ({ ...item, dueInMs: 0 }))
      checkSame(place(await after.queue.items({}, after.call)), place(items), 'the keys are as they were')
      await after.wake('pool/a')
      const again = await after.claim({ keys: ['pool/a'] })
      check((again[0]?.token ?? 0) > claim.token, 'the token rose across the restart')
      checkSame(again[0]?.previous, claim.token, 'the claim before is known')
      checkSame(again[0]?.note, { at: 'a' }, 'the note was kept')
    } finally {
      await after.store.ledger[Symbol.asyncDispose]?.()
    }
  })
}

interface Stage {
  readonly store: QueueStore
  readonly queue: Queue
  readonly call: Call
  readonly wake: (...wakes: readonly (string | Wake)[]) => Promise<void>
  readonly claim: (request?: Partial<ClaimRequest>) => Promise<readonly Claim[]>
  /** Claims, and insists on exactly one. */
  readonly claimOne: (request?: Partial<ClaimRequest>) => Promise<Claim>
  readonly keys: (request?: Partial<ClaimRequest>) => Promise<readonly string[]>
  readonly advance: (durationMs: number) => Promise<void>
}

const leaseMs = 60_000

function stage(store: QueueStore): Stage {
  const { queue } = store.ledger
  const call = testCall()
  const claim = (request: Partial<ClaimRequest> = {}): Promise<readonly Claim[]> =>
    queue.claim({ worker: 'w1', pool: 'pool', limit: 100, leaseMs, ...request }, call)
  return {
    store,
    queue,
    call,
    claim,
    wake: (...wakes) =>
      queue.enqueue(
        wakes.map((wake) => (typeof wake === 'string' ? { key: wake } : wake)),
        call,
      ),
    claimOne: async (request) => {
      const claims = await claim(request)
      checkSame(claims.length, 1, 'exactly one key is handed out')
      return claims[0]!
    },
    keys: async (request) => (await claim(request)).map(({ key }) => key),
    advance: async (durationMs) => store.advance(durationMs),
  }
}

const statements: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'a key that is due is handed out once, with a token and its reasons': async ({ wake, claim, keys }) => {
    checkSame(await keys(), [], 'nothing is due at first')
    await wake({ key: 'pool/a', revision: 7, trigger: 'poll', priority: 1 }, { key: 'other/a' })
    const [claimed, ...rest] = await claim()
    checkSame(rest, [], 'keys of another pool are not handed out')
    const { token, ...seen } = claimed!
    checkSame(
      seen,
      { key: 'pool/a', revision: 7, priority: 1, triggers: ['poll'], attempt: 1, previous: 0 },
      'the claim says why',
    )
    check(token >= 1, 'the token is positive')
    checkSame(await keys(), [], 'a key that is claimed is not handed out again')
  },

  'wakes that meet become one claim, for the newest revision': async ({ wake, claimOne, queue, call, keys }) => {
    await wake({ key: 'pool/a', revision: 2, trigger: 'x' }, { key: 'pool/a', revision: 5 })
    await wake({ key: 'pool/a', revision: 3, trigger: 'late' })
    const claim = await claimOne()
    checkSame([claim.revision, claim.triggers], [5, ['x']], 'the newest is handed out, the older changed nothing')
    await queue.complete([{ claim }], call)
    await wake({ key: 'pool/a', revision: 5 }, { key: 'pool/a', revision: 4 })
    checkSame(await keys(), [], 'what was completed is not handed out again')
    await wake({ key: 'pool/a', revision: 6 })
    checkSame((await claimOne()).revision, 6, 'a newer one is')
  },

  'wakes while a key is claimed lead to exactly one more claim': async ({ wake, claimOne, queue, call, keys }) => {
    await wake('pool/a')
    const first = await claimOne()
    await wake('pool/a', 'pool/a')
    await wake({ key: 'pool/a', trigger: 'again' })
    checkSame(await queue.complete([{ claim: first }], call), ['pool/a'], 'the completion is accepted')
    const second = await claimOne()
    check(second.token > first.token && second.revision > first.revision, 'token and revision rose')
    checkSame(second.triggers, ['again'], 'with the reasons of those wakes only')
    await queue.complete([{ claim: second }], call)
    checkSame(await keys(), [], 'and that was all')
  },

  'the clock of whoever asks does not matter': async ({ wake, queue, call, claimOne, advance }) => {
    const hour = 3_600_000
    const atHome = { worker: 'w1', pool: 'pool', limit: 1, leaseMs }
    const wrong = (skewMs: number): Call => ({
      ...call,
      clock: { ...call.clock, now: () => call.clock.now() + skewMs, monotonic: () => call.clock.monotonic() / 2 },
    })
    await wake('pool/a')
    const [held] = await queue.claim(atHome, wrong(-hour))
    checkSame(await queue.claim(atHome, wrong(hour)), [], 'what is held is held, also for whoever is an hour ahead')
    await queue.complete([{ claim: held!, again: { delayMs: 10_000 } }], wrong(hour))
    checkSame(await queue.claim(atHome, wrong(hour)), [], 'nothing is due earlier for whoever is ahead')
    await advance(10_001)
    checkSame((await queue.claim(atHome, wrong(-hour))).length, 1, 'nor later for whoever is behind')
    await advance(leaseMs + 1)
    check((await claimOne()).token > held!.token, 'a lease ends by the clock of the store, and tokens rise')
  },

  'a claim whose answer is lost is handed out again when its lease ends': async (stage) => {
    const { wake, queue, keys, claimOne, advance, call } = stage
    await wake({ key: 'pool/a', revision: 3 })
    const lost = new GitOpsError('LEDGER_UNAVAILABLE', 'It may have happened.')
    const deaf = withFaults(queue, scheduledFaults({ claim: [{ kind: 'lose', error: lost }] }))
    const unheard = deaf.claim({ worker: 'deaf', pool: 'pool', limit: 1, leaseMs }, call)
    await checkRejects(unheard, 'LEDGER_UNAVAILABLE', 'nobody hears of it')
    checkSame(await keys(), [], 'it is held by nobody who knows')
    await advance(leaseMs + 1)
    checkSame((await claimOne()).revision, 3, 'and not lost')
  },

  'a wake never shortens a lease': async ({ wake, claimOne, keys, advance }) => {
    await wake('pool/a')
    await claimOne()
    await wake({ key: 'pool/a', priority: 2 }, { key: 'pool/a', revision: 99 })
    await advance(leaseMs - 2_000)
    checkSame(await keys(), [], 'it is held until the end of the lease')
    await advance(2_001)
    checkSame(await keys(), ['pool/a'], 'and due then')
  },

  'a lease that ran out makes the key due, and its holder is refused everywhere': async (stage) => {
    const { wake, claimOne, advance, queue, call, store } = stage
    await wake('pool/a')
    const old = await claimOne()
    await advance(leaseMs + 1)
    const current = await claimOne({ worker: 'w2' })
    check(current.token > old.token, 'the token rose')
    checkSame(current.attempt, 2, 'the second attempt is called so')
    checkSame(await queue.extend([old], leaseMs, call), [], 'the old claim is not prolonged')
    checkSame(await queue.complete([{ claim: old }], call), [], 'nor completed')
    checkSame(await queue.release([{ claim: old }], call), [], 'nor given back')
    const late = store.ledger.commit('a', { expect: 0, claim: old, state: { failures: 9 } }, call)
    await checkRejects(late, 'LEDGER_FENCED', 'nor may it write the ledger')
    checkSame((await store.ledger.read('a', call)).version, 0, 'the record is as it was')
    checkSame((await queue.extend([current], leaseMs, call)).length, 1, 'the new claim is untouched')
  },

  'the token rises with every claim, also when the key was forgotten': async ({ wake, claimOne, queue, call }) => {
    const tokens: number[] = []
    for (let round = 0; round < 4; round++) {
      await wake('pool/a')
      const claim = await claimOne()
      tokens.push(claim.token)
      if (round % 2 === 0) await queue.complete([{ claim }], call)
      else await queue.forget(['pool/a'], call)
    }
    checkSame(
      tokens.toSorted((left, right) => left - right),
      tokens,
      'they rise',
    )
    checkSame(new Set(tokens).size, 4, 'strictly')
  },

  'forgetting takes a claim away, and what waits': async ({ wake, claimOne, queue, call, keys, advance }) => {
    await wake('pool/a', 'pool/b')
    const [claim] = [await claimOne({ keys: ['pool/a'] })]
    await queue.forget(['pool/a', 'pool/b', 'pool/never'], call)
    checkSame(await queue.complete([{ claim: claim! }], call), [], 'the claim is lost')
    await advance(leaseMs * 2)
    checkSame(await keys(), [], 'nothing is due')
  },

  'extending keeps a claim and tells what is wanted now': async ({ wake, claimOne, queue, call, advance, keys }) => {
    await wake({ key: 'pool/a', revision: 1 })
    const claim = await claimOne()
    for (let round = 0; round < 3; round++) {
      await advance(leaseMs - 1_000)
      checkSame((await queue.extend([claim], leaseMs, call))[0]?.revision, 1, 'it is still ours, with no news')
    }
    await wake({ key: 'pool/a', revision: 4 })
    checkSame((await queue.extend([claim], leaseMs, call))[0]?.revision, 4, 'a newer revision is told')
    checkSame(await keys(), [], 'nobody else was handed the key')
  },

  'a delay is kept, and of two the earlier wins': async ({ wake, keys, advance }) => {
    await wake({ key: 'pool/a', delayMs: 9_999.25 }, { key: 'pool/b', delayMs: 10_000 })
    await wake({ key: 'pool/b', delayMs: 4_000 }, { key: 'pool/a', delayMs: 60_000 })
    checkSame(await keys(), [], 'not at once')
    await advance(4_001)
    checkSame(await keys(), ['pool/b'], 'after the shorter delay')
    await advance(6_000)
    checkSame(await keys(), ['pool/a'], 'after the longer one')
  },

  'higher priorities go first, then what waited longest': async ({ wake, keys, advance }) => {
    for (let index = 0; index < 30; index++) await wake({ key: `pool/low-${String(index).padStart(2, '0')}` })
    await advance(1_000)
    await wake({ key: 'pool/asked', priority: 2 }, { key: 'pool/changed', priority: 1 })
    checkSame(await keys({ limit: 3 }), ['pool/asked', 'pool/changed', 'pool/low-00'], 'a flood starves nobody')
    checkSame((await keys({ limit: 5 })).length, 5, 'no more than the limit')
  },

  'a completion can ask for another look; news do not wait for it': async ({
    wake,
    claimOne,
    queue,
    call,
    keys,
    advance,
  }) => {
    await wake('pool/a')
    const first = await claimOne()
    await queue.complete([{ claim: first, again: { delayMs: 29_999.5, trigger: 'drift' } }], call)
    checkSame(await keys(), [], 'not before')
    await advance(30_001)
    const second = await claimOne()
    checkSame(second.triggers, ['drift'], 'it says why')
    await wake('pool/a')
    await queue.complete([{ claim: second, again: { delayMs: 30_000 } }], call)
    checkSame(await keys(), ['pool/a'], 'the wake that came meanwhile is due at once')
  },

  'a wake with a delay while claimed is due after that delay': async ({
    wake,
    claimOne,
    queue,
    call,
    keys,
    advance,
  }) => {
    await wake('pool/a')
    const claim = await claimOne()
    await wake({ key: 'pool/a', delayMs: 5_000 })
    await queue.complete([{ claim }], call)
    checkSame(await keys(), [], 'not at once')
    await advance(5_001)
    checkSame(await keys(), ['pool/a'], 'then')
  },

  'what is given back is handed out again, after its delay': async ({ wake, claimOne, queue, call, keys, advance }) => {
    await wake({ key: 'pool/a', revision: 3 })
    const claim = await claimOne()
    checkSame(await queue.release([{ claim, delayMs: 8_000 }], call), ['pool/a'], 'it is accepted')
    checkSame(await keys(), [], 'not at once')
    await advance(8_001)
    const again = await claimOne()
    checkSame([again.revision, again.attempt], [3, 1], 'the same revision, and not as a crash')
  },

  'what nobody did is as urgent as it was, and what was done leaves only what came meanwhile': async (stage) => {
    const { wake, claimOne, queue, call, advance } = stage
    const next = async (): Promise<Claim> => claimOne({ limit: 1 })
    await wake({ key: 'pool/a', priority: 2 })
    await next()
    await advance(leaseMs + 1)
    await wake({ key: 'pool/b', priority: 1 })
    const lost = await next()
    checkSame([lost.key, lost.priority], ['pool/a', 2], 'what a dead worker had goes first')
    await queue.release([{ claim: lost }], call)
    const returned = await next()
    checkSame([returned.key, returned.priority], ['pool/a', 2], 'and what was given back')
    await wake('pool/a')
    await queue.complete([{ claim: returned }], call)
    checkSame((await next()).key, 'pool/b', 'what was done is not urgent any more')
    checkSame((await next()).priority, 0, 'but for what came meanwhile')
  },

  'keys of a lane go to its holder, and to others when they are overdue': async ({ wake, keys, advance }) => {
    await wake({ key: 'pool/a', lane: 'east' }, { key: 'pool/b', lane: 'west' }, { key: 'pool/c' })
    checkSame(await keys({ lanes: ['west'], graceMs: 3_000 }), ['pool/b', 'pool/c'], 'its own lane, and no lane')
    await advance(3_001)
    checkSame(await keys({ lanes: ['west'], graceMs: 3_000 }), ['pool/a'], 'what nobody took')
  },

  'one tenant has no more claims at a time than allowed, and starves nobody': async (stage) => {
    const { wake, claim, queue, call } = stage
    for (let index = 0; index < 20; index++) await wake({ key: `pool/big-${index}`, tenant: 'big' })
    await wake({ key: 'pool/small', tenant: 'small' }, { key: 'pool/nobody' })
    const tenantLimit = 3
    const held: Claim[] = []
    for (let round = 0; round < 4; round++) held.push(...(await claim({ limit: 6, tenantLimit })))
    checkSame(held.filter(({ key }) => key.startsWith('pool/big')).length, 3, 'three of the big one')
    check(
      held.some(({ key }) => key === 'pool/small') && held.some(({ key }) => key === 'pool/nobody'),
      'and the others',
    )
    await queue.complete([{ claim: held.find(({ key }) => key.startsWith('pool/big'))! }], call)
    checkSame((await claim({ tenantLimit })).length, 1, 'a place that is free is taken')
  },

  'a key whose workers keep dying is left alone until there is something new, or it is asked for': async (stage) => {
    const { wake, claimOne, keys, advance, queue, call } = stage
    await wake('pool/a')
    for (let crash = 1; crash <= quarantineAfter; crash++) {
      checkSame((await claimOne()).attempt, crash, 'the attempt is counted')
      await advance(leaseMs + 1)
    }
    checkSame(await keys(), [], 'it is not handed out any more')
    const [item] = await queue.items({ keys: ['pool/a'] }, call)
    checkSame(item?.crashes, quarantineAfter, 'which can be seen')
    await wake('pool/a')
    checkSame(await keys(), [], 'to be looked at again is no reason')
    await wake({ key: 'pool/a', priority: 1 })
    checkSame((await claimOne()).attempt, 1, 'a change is one')
    for (let crash = 1; crash < quarantineAfter; crash++) {
      await advance(leaseMs + 1)
      await claimOne()
    }
    await advance(leaseMs + 1)
    checkSame(await keys(), [], 'it is left alone again')
    const claim = await claimOne({ keys: ['pool/a'] })
    await queue.complete([{ claim }], call)
    await wake('pool/a')
    checkSame((await claimOne()).attempt, 1, 'a completion makes it a key like any other')
  },

  'a key can be claimed by name before it is due, but not twice': async ({ wake, keys }) => {
    await wake({ key: 'pool/a', delayMs: 60_000 }, 'pool/b')
    checkSame(await keys({ keys: ['pool/a'] }), ['pool/a'], 'ahead of its time')
    checkSame(await keys({ keys: ['pool/a', 'pool/never'] }), [], 'it is held now')
  },

  'a wake for new keys only does nothing to others': async ({ wake, claimOne, queue, call, keys }) => {
    await wake({ key: 'pool/a', onlyNew: true })
    await queue.complete([{ claim: await claimOne() }], call)
    await wake({ key: 'pool/a', onlyNew: true }, { key: 'pool/b', onlyNew: true })
    checkSame(await keys(), ['pool/b'], 'only the new key is due')
  },

  'the newest wake that names a lane or a tenant counts, also one for new keys only': async (stage) => {
    const { wake, claim, keys } = stage
    const tenant = { tenant: 'old', lane: 'east' }
    await wake({ key: 'pool/a', ...tenant }, { key: 'pool/b', ...tenant }, { key: 'pool/c', ...tenant })
    await wake({ key: 'pool/a', tenant: 'new', lane: 'west', onlyNew: true }, { key: 'pool/b', tenant: 'new' })
    checkSame(await keys({ lanes: ['west'], graceMs: 3_000 }), ['pool/a'], 'it moved to the other lane')
    const rest = await claim({ tenantLimit: 1 })
    checkSame(
      rest.map(({ key }) => key),
      ['pool/c'],
      'one of the new tenant is claimed already, none of the old',
    )
  },

  'a commit can complete a claim: both, with the keys it wakes, or neither': async (stage) => {
    const { wake, claimOne, call, store, keys, queue } = stage
    const { ledger } = store
    await wake('pool/a')
    const claim = await claimOne()
    const put = [{ ref: { kind: 'flag', name: 'x' }, state: 'applied', revision: 'r1' } as const]
    const complete = { claim, note: { ready: true }, wakes: [{ key: 'pool/b' }] }
    const stale = ledger.commit('a', { expect: 5, claim, complete, inventory: { put } }, call)
    await checkRejects(stale, 'LEDGER_FENCED', 'a commit at another version is refused')
    checkSame(await keys(), [], 'and completed nothing')
    await ledger.commit('a', { expect: 0, claim, complete, inventory: { put } }, call)
    checkSame([...(await ledger.read('a', call)).inventory.keys()], [refKey(put[0]!.ref)], 'the inventory is written')
    checkSame(await keys(), ['pool/b'], 'what it woke is due, and it itself is done')
    checkSame((await queue.items({ keys: ['pool/a'] }, call))[0]?.note, { ready: true }, 'the note is kept')
    const twice = ledger.commit('a', { expect: 1, complete: { claim }, state: { failures: 1 } }, call)
    await checkRejects(twice, 'LEDGER_FENCED', 'a claim that ended cannot be completed again')
    checkSame((await ledger.read('a', call)).version, 1, 'nothing of that commit is kept')
  },

  'workers that claim at the same time never get the same key': async ({ wake, claim }) => {
    const names = Array.from({ length: 40 }, (_, index) => `pool/${String(index).padStart(2, '0')}`)
    await wake(...names)
    const requests = Array.from({ length: 10 }, (_, index) => claim({ worker: `w${index}`, limit: 7 }))
    const taken = (await Promise.all(requests)).flat().map(({ key }) => key)
    checkSame(new Set(taken).size, taken.length, 'no key twice')
    const rest = (await claim()).map(({ key }) => key)
    checkSame([...taken, ...rest].toSorted(), names, 'every key once')
  },

  'wakes and completions at the same time lose nothing': async ({ wake, claim, queue, call }) => {
    await wake('pool/a')
    const work = async (): Promise<void> => {
      for (const each of await claim()) await queue.complete([{ claim: each }], call)
    }
    const [last] = await Promise.all([wake({ key: 'pool/a', revision: 1_000 }), work(), work()])
    checkSame(last, undefined, 'the wake resolved')
    for (let round = 0; round < 3; round++) await work()
    const [item] = await queue.items({ keys: ['pool/a'] }, call)
    checkSame([item?.done, item?.revision], [1_000, 1_000], 'the newest revision was completed')
  },

  'the keys can be looked at': async ({ wake, claimOne, queue, call }) => {
    await wake({ key: 'pool/a', revision: 4, priority: 1 }, { key: 'pool/b', delayMs: 50_000 }, { key: 'other/c' })
    const { token } = await claimOne({ worker: 'w7' })
    const [first, second, ...rest] = await queue.items({ pool: 'pool' }, call)
    const taken = { key: 'pool/a', token, revision: 4, done: 0, priority: 0, crashes: 0, worker: 'w7' }
    checkSame(first, taken, 'who has what')
    check((second?.dueInMs ?? 0) > 40_000 && second?.worker === undefined, 'what waits, and how long')
    checkSame(rest, [], 'of one pool')
    checkSame(
      (await queue.items({ after: 'pool/a' }, call)).map(({ key }) => key),
      ['pool/b'],
      'page by page',
    )
  },

  'after a restore nobody holds anything, and everything is due': async (stage) => {
    const { wake, claim, claimOne, queue, call, keys } = stage
    await wake('pool/a', 'pool/b')
    const before = await claim()
    await queue.complete([{ claim: before[0]! }], call)
    await queue.afterRestore(call)
    checkSame(await queue.complete([{ claim: before[1]! }], call), [], 'a claim of before is lost')
    const after = await claimOne({ keys: ['pool/a'] })
    check(after.token > before[0]!.token, 'the token rose')
    checkSame(await keys(), ['pool/b'], 'every key is due')
  },

  'a key without a pool is refused': async ({ wake }) => {
    await checkRejects(wake('nowhere'), 'CONFIG_INVALID', 'no pool')
    await checkRejects(wake({ key: 'pool/a', revision: 0.5 }), 'CONFIG_INVALID', 'half a revision')
  },
}
