import type { Owned } from '../actual/inventory.ts'
import { refKey } from '../desired/ref.ts'
import { verifyAudit } from '../ledger/audit.ts'
import type {
  Approval,
  AuditEntry,
  Hold,
  JournalEntry,
  Ledger,
  LedgerChange,
  RunRecord,
  StoredState,
  Suspension,
} from '../ledger/ledger.ts'
import type { Call } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { testCall } from './call.ts'
import { check, checkRejects, checkSame } from './check.ts'

/** What `testLedgerConformance` needs. */
export interface LedgerConformance {
  /** Registers one test; the `test` of any runner fits. */
  readonly test: (name: string, run: () => Promise<void>) => unknown
  /** Makes an empty ledger. Called once per test; the ledger is disposed at its end. */
  readonly createLedger: () => Ledger | Promise<Ledger>
  /** Opens the store of a disposed ledger again. Absent for a ledger that keeps nothing. */
  readonly reopenLedger?: (ledger: Ledger) => Ledger | Promise<Ledger>
}

/** Registers the tests that every ledger has to pass: a ledger that passes is supported. */
export function testLedgerConformance(suite: LedgerConformance): void {
  for (const [name, run] of Object.entries(statements)) {
    suite.test(name, async () => {
      const ledger = await suite.createLedger()
      try {
        await run(ledger, testCall())
      } finally {
        await ledger[Symbol.asyncDispose]?.()
        await ledger[Symbol.asyncDispose]?.()
      }
    })
  }
  if (suite.reopenLedger !== undefined) testReopening(suite, suite.reopenLedger)
}

function testReopening(suite: LedgerConformance, reopen: NonNullable<LedgerConformance['reopenLedger']>): void {
  suite.test('what was committed is there after the ledger is opened again', async () => {
    const call = testCall()
    const first = await suite.createLedger()
    await first.commit('shop', { expect: 0, ...everything, run: runOf('shop', 1), audit: [entryOf('shop', 1)] }, call)
    await first.commit('gone', { expect: 0, state: { failures: 1 } }, call)
    await first.commit('gone', { expect: 1, forget: true }, call)
    const before = await contentOf(first, call)
    await first[Symbol.asyncDispose]?.()
    const second = await reopen(first)
    try {
      checkSame(await contentOf(second, call), before, 'everything is as it was')
      await second.commit('shop', { expect: 1, run: runOf('shop', 2), audit: [entryOf('shop', 2)] }, call)
      checkSame(
        (await all(second.audit({}, call))).map(({ sequence }) => sequence),
        [1, 2],
        'the audit log goes on',
      )
      check((await verifyAudit(second.audit({}, call))).valid, 'the chain holds across the two')
    } finally {
      await second[Symbol.asyncDispose]?.()
    }
  })
}

async function contentOf(ledger: Ledger, call: Call): Promise<unknown> {
  return {
    shop: await ledger.read('shop', call),
    gone: await ledger.read('gone', call),
    applications: await all(ledger.applications(call)),
    history: await all(ledger.history({}, call)),
    audit: await all(ledger.audit({}, call)),
    key: await ledger.installKey(call),
  }
}

const statements: Readonly<Record<string, (ledger: Ledger, call: Call) => Promise<void>>> = {
  'an application without a record reads as an empty one at version 0': async (ledger, call) => {
    const empty = { application: 'shop', version: 0, inventory: new Map(), approvals: [], state: {} }
    checkSame(await ledger.read('shop', call), empty, 'the record is empty')
    checkSame(await all(ledger.applications(call)), [], 'there is no application')
  },

  'everything that was committed is read back': async (ledger, call) => {
    checkSame(await ledger.commit('shop', { expect: 0, ...everything }, call), 1, 'the first version is 1')
    const { inventory, ...record } = await ledger.read('shop', call)
    const { inventory: _, ...rest } = everything
    checkSame(record, { application: 'shop', version: 1, ...rest }, 'the record holds every member')
    checkSame([...inventory.values()], [owned('a'), owned('b')], 'the inventory holds what was put')
    checkSame([...inventory.keys()], [keyOf('a'), keyOf('b')], 'the inventory is keyed by refKey')
  },

  'members that a commit does not name stay, null removes them': async (ledger, call) => {
    await ledger.commit('shop', { expect: 0, ...everything }, call)
    await ledger.commit('shop', { expect: 1, journal: null, hold: null, suspension: null }, call)
    const record = await ledger.read('shop', call)
    check(!('journal' in record) && !('hold' in record) && !('suspension' in record), 'null removed three members')
    checkSame(record.approvals, everything.approvals, 'the approvals stayed')
    checkSame(record.state, everything.state, 'the state stayed')
    checkSame(record.inventory.size, 2, 'the inventory stayed')
  },

  'the inventory changes entry by entry': async (ledger, call) => {
    await ledger.commit('shop', { expect: 0, inventory: { put: [owned('a'), owned('b'), owned('c')] } }, call)
    const changed = { ...owned('b'), state: 'applied' as const, uid: 'u1' }
    const missing = refKey({ kind: 'flag', name: 'never' })
    await ledger.commit(
      'shop',
      { expect: 1, inventory: { put: [changed, owned('d')], remove: [keyOf('a'), missing] } },
      call,
    )
    const { inventory } = await ledger.read('shop', call)
    checkSame([...inventory.keys()].sort(), ['b', 'c', 'd'].map(keyOf), 'a is gone, d is there')
    checkSame(inventory.get(keyOf('b')), changed, 'b is the new one')
  },

  'a writer that comes too late is fenced, and nothing of its commit is kept': async (ledger, call) => {
    await ledger.commit('shop', { expect: 0, state: { failures: 1 } }, call)
    const late: LedgerChange = { expect: 0, state: { failures: 9 }, run: runOf('shop', 1), audit: [entryOf('shop', 1)] }
    await checkRejects(ledger.commit('shop', late, call), 'LEDGER_FENCED', 'the late writer is refused')
    await checkRejects(
      ledger.commit('shop', { ...late, expect: 2 }, call),
      'LEDGER_FENCED',
      'so is one from the future',
    )
    const record = await ledger.read('shop', call)
    checkSame([record.version, record.state], [1, { failures: 1 }], 'the record did not change')
    checkSame(await all(ledger.history({}, call)), [], 'no run was recorded')
    checkSame(await all(ledger.audit({}, call)), [], 'nothing was audited')
  },

  'of several writers at the same version exactly one wins': async (ledger, call) => {
    const writers = Array.from({ length: 20 }, (_, index) =>
      ledger.commit('shop', { expect: 0, state: { failures: index } }, call).then(() => index),
    )
    const results = await Promise.allSettled(writers)
    const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const codes = results.flatMap((result) => (result.status === 'rejected' ? [codeOf(result.reason)] : []))
    checkSame(winners.length, 1, 'one won')
    checkSame(new Set(codes), new Set(['LEDGER_FENCED']), 'the others were fenced')
    const { state, version } = await ledger.read('shop', call)
    checkSame([version, state.failures], [1, winners[0]], 'the record is what the winner wrote')
  },

  'writers that read again after losing lose nothing': async (ledger, call) => {
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => putPatiently(ledger, name, call)))
    const { version, inventory } = await ledger.read('shop', call)
    checkSame([version, inventory.size], [6, 6], 'six commits, six entries')
  },

  'applications do not disturb each other': async (ledger, call) => {
    const names = Array.from({ length: 12 }, (_, index) => `app-${index}`)
    await Promise.all(names.map((name) => ledger.commit(name, { expect: 0, state: { memory: { name } } }, call)))
    for (const name of names)
      checkSame((await ledger.read(name, call)).state, { memory: { name } }, `${name} is its own`)
  },

  'a record that was read never changes, and neither does one when the given objects change': async (ledger, call) => {
    const memory: Record<string, string> = { colour: 'red' }
    await ledger.commit('shop', { expect: 0, state: { memory }, inventory: { put: [owned('a')] } }, call)
    const before = await ledger.read('shop', call)
    memory['colour'] = 'blue'
    await ledger.commit('shop', { expect: 1, inventory: { remove: [keyOf('a')] } }, call)
    checkSame([before.version, before.inventory.size], [1, 1], 'what was read stayed')
    checkSame((await ledger.read('shop', call)).state.memory, { colour: 'red' }, 'what was given was copied')
  },

  'history is newest first, by application, before a time, up to a limit': async (ledger, call) => {
    for (let index = 1; index <= 5; index++) {
      const name = index % 2 === 0 ? 'queue' : 'shop'
      const { version } = await ledger.read(name, call)
      await ledger.commit(name, { expect: version, run: runOf(name, index) }, call)
    }
    const ids = async (query: Parameters<Ledger['history']>[0]): Promise<string[]> =>
      (await all(ledger.history(query, call))).map(({ runId }) => runId)
    checkSame(await ids({}), ['run-5', 'run-4', 'run-3', 'run-2', 'run-1'], 'newest first')
    checkSame(await ids({ application: 'shop' }), ['run-5', 'run-3', 'run-1'], 'of one application')
    checkSame(await ids({ limit: 2 }), ['run-5', 'run-4'], 'up to a limit')
    checkSame(await ids({ before: runOf('shop', 3).startedAt }), ['run-2', 'run-1'], 'before a time')
    checkSame(await ids({ application: 'nobody' }), [], 'none of an unknown application')
    checkSame((await all(ledger.history({ limit: 1 }, call)))[0], runOf('shop', 5), 'a run is read back whole')
  },

  'audit records form one chain, in the order of their commits': async (ledger, call) => {
    for (let index = 1; index <= 4; index++) {
      const audit = [entryOf('shop', index * 2 - 1), entryOf('shop', index * 2)]
      await ledger.commit('shop', { expect: index - 1, audit }, call)
    }
    const records = await all(ledger.audit({}, call))
    checkSame(
      records.map(({ action }) => action),
      [1, 2, 3, 4, 5, 6, 7, 8].map((index) => `act-${index}`),
      'in order',
    )
    checkSame(
      records.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5, 6, 7, 8],
      'sequences rise by one',
    )
    const verdict = await verifyAudit(records)
    check(verdict.valid && verdict.records === 8, 'the chain verifies')
    checkSame(
      (await all(ledger.audit({ after: 5 }, call))).map(({ sequence }) => sequence),
      [6, 7, 8],
      'after a sequence',
    )
    checkSame(
      (await all(ledger.audit({ limit: 2 }, call))).map(({ sequence }) => sequence),
      [1, 2],
      'up to a limit',
    )
  },

  'audit records of concurrent commits form one chain': async (ledger, call) => {
    const names = Array.from({ length: 10 }, (_, index) => `app-${index}`)
    await Promise.all(
      names.map((name) => ledger.commit(name, { expect: 0, audit: [entryOf(name, 1), entryOf(name, 2)] }, call)),
    )
    const verdict = await verifyAudit(ledger.audit({}, call))
    check(verdict.valid && verdict.records === 20, `20 records in one chain (${JSON.stringify(verdict)})`)
    checkSame(
      (await all(ledger.audit({ application: 'app-3' }, call))).map(({ action }) => action),
      ['act-1', 'act-2'],
      'of one application',
    )
  },

  'a forgotten application keeps its history, and its versions never start over': async (ledger, call) => {
    await ledger.commit('shop', { expect: 0, ...everything, run: runOf('shop', 1), audit: [entryOf('shop', 1)] }, call)
    await ledger.commit('shop', { expect: 1, forget: true, audit: [entryOf('shop', 2)] }, call)
    const record = await ledger.read('shop', call)
    checkSame([record.inventory.size, record.approvals, record.state], [0, [], {}], 'the record is empty')
    check(record.version > 1, 'its version did not start over')
    checkSame(await all(ledger.applications(call)), [], 'it is not listed')
    checkSame((await all(ledger.history({ application: 'shop' }, call))).length, 1, 'the history stays')
    checkSame((await all(ledger.audit({}, call))).length, 2, 'the audit log stays')
    await checkRejects(
      ledger.commit('shop', { expect: 1, state: {} }, call),
      'LEDGER_FENCED',
      'an old writer is fenced',
    )
    await checkRejects(
      ledger.commit('shop', { expect: 0, state: {} }, call),
      'LEDGER_FENCED',
      'so is one that takes it for new',
    )
    await ledger.commit('shop', { expect: record.version, state: { failures: 1 } }, call)
    checkSame(await all(ledger.applications(call)), ['shop'], 'it may come back')
  },

  'any name is only a name': async (ledger, call) => {
    for (const name of hostileNames) {
      await ledger.commit(
        name,
        { expect: 0, state: { memory: { name } }, run: runOf(name, 1), audit: [entryOf(name, 1)] },
        call,
      )
    }
    for (const name of hostileNames) {
      checkSame(
        (await ledger.read(name, call)).state,
        { memory: { name } },
        `${JSON.stringify(name)} has its own record`,
      )
      checkSame(
        (await all(ledger.history({ application: name }, call))).length,
        1,
        `${JSON.stringify(name)} has its own history`,
      )
    }
    checkSame(await all(ledger.applications(call)), [...hostileNames].sort(), 'each is listed, in code-unit order')
  },

  'any resource is only a resource': async (ledger, call) => {
    const put = hostileNames.map((name): Owned => ({
      ...owned('x'),
      ref: { group: name, kind: name, namespace: name, name },
      note: { text: name },
    }))
    await ledger.commit('shop', { expect: 0, inventory: { put } }, call)
    const { inventory } = await ledger.read('shop', call)
    checkSame(
      put.map(({ ref }) => inventory.get(refKey(ref))),
      put,
      'each is read back',
    )
    checkSame(inventory.size, put.length, 'and nothing else')
    check(!('polluted' in {}), 'no prototype was touched')
  },

  'an inventory of 5,000 resources is kept, and changed entry by entry': async (ledger, call) => {
    const put = Array.from({ length: 5_000 }, (_, index) => owned(`resource-${index}`))
    await ledger.commit('shop', { expect: 0, inventory: { put } }, call)
    await ledger.commit('shop', { expect: 1, inventory: { remove: [keyOf('resource-77')] } }, call)
    const { inventory } = await ledger.read('shop', call)
    checkSame(inventory.size, 4_999, 'one is gone')
    checkSame(inventory.get(keyOf('resource-4999')), put[4_999], 'the last one is as it was')
  },

  'the installation key is 32 bytes, made once': async (ledger, call) => {
    const keys = await Promise.all([ledger.installKey(call), ledger.installKey(call)])
    checkSame(keys[0]?.length, 32, '32 bytes')
    checkSame(keys[0], keys[1], 'the same for everybody')
    checkSame(await ledger.installKey(call), keys[0], 'the same later')
  },

  'a cancelled call changes nothing': async (ledger, call) => {
    await ledger.commit('shop', { expect: 0, state: { failures: 1 } }, call)
    const cancelled = testCall()
    cancelled.abort()
    await checkRejects(ledger.commit('shop', { expect: 1, state: {} }, cancelled), 'CANCELLED', 'it rejects')
    checkSame((await ledger.read('shop', call)).version, 1, 'nothing was written')
  },
}

const hostileNames = [
  '..',
  '../escape',
  '/etc/passwd',
  'a/b',
  'a\\b',
  'CON',
  'nul.json',
  '.hidden',
  'shop',
  'Shop',
  'SHOP',
  ' shop ',
  'shop%2F',
  '__proto__',
  'constructor',
  'toString',
  "'; DROP TABLE gitops_run; --",
  'line\nbreak',
  'naïve café',
  '日本語',
  '👩‍🚀',
  'x'.repeat(253),
  `${'x'.repeat(252)}y`,
]

const everything = {
  inventory: { put: [owned('a'), owned('b')] },
  journal: journalOf('run-1'),
  approvals: [{ fingerprint: 'f', by: 'ada', at: 1, expiresAt: 2, note: 'fine' }],
  hold: { revision: { id: 'a1' }, by: 'ada', at: 1, reason: 'broken', rejected: ['b2'] },
  suspension: { by: 'ada', at: 1, reason: 'migration', until: 9 },
  state: {
    applied: { id: 'a1', name: 'main', at: 5 },
    appliedDigest: 'd',
    failures: 2,
    memory: { deep: { list: [1, null, 'x'] } },
  },
} satisfies {
  inventory: NonNullable<LedgerChange['inventory']>
  journal: JournalEntry
  approvals: Approval[]
  hold: Hold
  suspension: Suspension
  state: StoredState
}

function owned(name: string): Owned {
  return { ref: { kind: 'flag', name }, state: 'intended', revision: 'a1', digest: 'd', note: { lineage: [1, 2] } }
}

function keyOf(name: string): string {
  return refKey({ kind: 'flag', name })
}

function journalOf(runId: string): JournalEntry {
  const revision = { id: 'a1' }
  return {
    runId,
    startedAt: 5,
    revision,
    step: 1,
    plan: {
      application: 'shop',
      revision,
      mode: 'converge',
      effect: 'changes',
      complete: true,
      changes: [
        {
          ref: { kind: 'flag', name: 'a' },
          action: 'create',
          cause: 'revision',
          fields: [],
          step: { phase: 'Sync', wave: -1 },
        },
      ],
      drift: [],
      ignored: [],
      blocked: [],
      warnings: [],
      basis: { digest: 'd', version: 'v' },
      fingerprint: 'f',
    },
  }
}

function runOf(application: string, index: number): RunRecord {
  return {
    runId: `run-${index}`,
    application,
    startedAt: index * 1_000,
    endedAt: index * 1_000 + 500,
    trigger: 'interval',
    revision: { id: `r${index}` },
    fingerprint: 'f',
    outcome: 'applied',
    counts: { create: 1 },
    changed: [{ ref: { kind: 'flag', name: 'a' }, action: 'create', status: 'succeeded' }],
  }
}

function entryOf(application: string, index: number): AuditEntry {
  return {
    at: index,
    actor: 'ada',
    action: `act-${index}`,
    application,
    details: { index, nested: { list: [true, null] } },
  }
}

async function putPatiently(ledger: Ledger, name: string, call: Call): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const { version } = await ledger.read('shop', call)
    try {
      await ledger.commit('shop', { expect: version, inventory: { put: [owned(name)] } }, call)
      return
    } catch (error) {
      if (codeOf(error) !== 'LEDGER_FENCED') throw error
    }
  }
  throw new Error(`${name} lost 50 times in a row.`)
}

function codeOf(error: unknown): string {
  return error instanceof GitOpsError ? error.code : String(error)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
