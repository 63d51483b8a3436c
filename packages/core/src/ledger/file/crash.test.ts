import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testCall } from '../../testing/call.ts'
import { verifyAudit } from '../audit.ts'
import type { Ledger, LedgerChange } from '../ledger.ts'
import { fileLedger } from './file.ts'
import { type Disk, createDisk } from '../../testing/disk.ts'

/** What the ledger acknowledged, and what it may have kept without having acknowledged it. */
interface Expectation {
  acknowledged: Record<string, number>
  attempted: Record<string, number>
}

const steps: readonly { readonly application: string; readonly logged: boolean }[] = [
  { application: 'shop', logged: true },
  { application: 'queue', logged: false },
  { application: 'shop', logged: false },
  { application: 'queue', logged: true },
  { application: 'shop', logged: true },
]

function changeTo(application: string, version: number, logged: boolean): LedgerChange {
  const state = { failures: version }
  if (!logged) return { expect: version - 1, state }
  const name = `${application}-${version}`
  const run = {
    runId: name,
    application,
    startedAt: version,
    endedAt: version,
    trigger: 't',
    outcome: 'applied',
    counts: {},
    changed: [],
  } as const
  return {
    expect: version - 1,
    state,
    run,
    audit: [1, 2].map((at) => ({ at, actor: 'ada', action: name, details: {} })),
  }
}

/** Goes through the steps until the disk dies; returns what is known of each application then. */
async function work(ledger: Ledger): Promise<Expectation> {
  const acknowledged: Record<string, number> = { shop: 0, queue: 0 }
  const attempted: Record<string, number> = { shop: 0, queue: 0 }
  try {
    for (const { application, logged } of steps) {
      const version = (acknowledged[application] ?? 0) + 1
      attempted[application] = version
      await ledger.commit(application, changeTo(application, version, logged), testCall())
      acknowledged[application] = version
    }
  } catch {
    // The disk died.
  }
  return { acknowledged, attempted }
}

/** Everything that was acknowledged is there, what was not is there whole or not at all, and the ledger goes on. */
async function judge(ledger: Ledger, { acknowledged, attempted }: Expectation): Promise<void> {
  const call = testCall()
  const runs: string[] = []
  for await (const run of ledger.history({}, call)) runs.push(run.runId)
  const entries: string[] = []
  for await (const { action } of ledger.audit({}, call)) entries.push(action)
  for (const application of ['shop', 'queue']) {
    const { version, state } = await ledger.read(application, call)
    expect([acknowledged[application], attempted[application]]).toContain(version)
    expect(state).toEqual(version === 0 ? {} : { failures: version })
    const expected = loggedVersions(application, version)
    expect(runs.filter((run) => run.startsWith(application)).toSorted()).toEqual(expected)
    expect(entries.filter((entry) => entry.startsWith(application)).toSorted()).toEqual(
      expected.flatMap((name) => [name, name]),
    )
    await ledger.commit(application, changeTo(application, version + 1, true), call)
  }
  expect((await verifyAudit(ledger.audit({}, call))).valid).toBe(true)
}

function loggedVersions(application: string, upTo: number): string[] {
  return steps
    .filter((step) => step.application === application)
    .flatMap(({ logged }, index) => (logged && index < upTo ? [`${application}-${index + 1}`] : []))
}

const open = (disk: Disk): Ledger & AsyncDisposable => fileLedger('/ledger', { files: disk.files, segmentBytes: 400 })

async function operationsOf(run: (disk: Disk) => Promise<unknown>): Promise<number> {
  const disk = createDisk()
  await run(disk)
  return disk.operations()
}

test('a process that dies at any operation on any file loses nothing and leaves nothing half done', async () => {
  const total = await operationsOf((disk) => work(open(disk)))
  expect(total).toBeGreaterThan(50)
  for (let operation = 1; operation <= total; operation++) {
    for (const moment of ['before', 'during', 'after'] as const) {
      const disk = createDisk()
      disk.dieAt(operation, moment)
      const expectation = await work(open(disk))
      disk.restart('process')
      await using again = open(disk)
      await judge(again, expectation)
    }
  }
})

test('a machine that loses power at any operation loses nothing, whatever of the folders had reached the disk', async () => {
  const total = await operationsOf((disk) => work(open(disk)))
  for (let operation = 1; operation <= total; operation++) {
    for (const kept of ['none', 'some', 'all'] as const) {
      const disk = createDisk()
      disk.dieAt(operation, 'during')
      const expectation = await work(open(disk))
      disk.restart(kept)
      await using again = open(disk)
      await judge(again, expectation)
    }
  }
})

test('dying again while recovering loses nothing either', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 2, maxLength: 4 }),
      fc.constantFrom('process', 'none', 'some', 'all'),
      async (deaths, kept) => {
        const disk = createDisk()
        const expectation: Expectation = { acknowledged: { shop: 0, queue: 0 }, attempted: { shop: 0, queue: 0 } }
        const [first = 1, ...later] = deaths
        disk.dieAt(first, 'during')
        Object.assign(expectation, await work(open(disk)))
        for (const death of later) {
          disk.restart(kept)
          disk.dieAt(death, 'during')
          await open(disk)
            .read('shop', testCall())
            .catch(() => {})
        }
        disk.restart(kept)
        await using again = open(disk)
        await judge(again, expectation)
      },
    ),
    { numRuns: 150 },
  )
})

test('a disk that fails once at any operation, without the process dying, loses nothing', async () => {
  const total = await operationsOf((disk) => work(open(disk)))
  for (let operation = 1; operation <= total; operation++) {
    const disk = createDisk()
    disk.failOnceAt(operation)
    const ledger = open(disk)
    const { acknowledged, attempted } = await work(ledger)
    await judge(ledger, { acknowledged, attempted })
  }
})

test('a commit that did not happen leaves no run behind, also when another one gets its version', async () => {
  const total = await operationsOf((disk) => work(open(disk)))
  for (let operation = 1; operation <= total; operation++) {
    const disk = createDisk()
    disk.dieAt(operation, 'before')
    const { acknowledged } = await work(open(disk))
    disk.restart('process')
    const { version } = await commitQuietly(disk)
    disk.restart('process')
    await using again = open(disk)
    const runs: string[] = []
    for await (const run of again.history({ application: 'shop' }, testCall())) runs.push(run.runId)
    expect(runs).not.toContain(`shop-${version}`)
    expect(version).toBeGreaterThan(acknowledged['shop'] ?? 0)
  }
})

/** A commit that adds nothing to the logs, by a process that dies after it. */
async function commitQuietly(disk: Disk): Promise<{ readonly version: number }> {
  const ledger = open(disk)
  const { version } = await ledger.read('shop', testCall())
  return { version: await ledger.commit('shop', { expect: version, state: {} }, testCall()) }
}
