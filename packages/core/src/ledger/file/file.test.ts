import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { testCall } from '../../testing/call.ts'
import { testLedgerConformance } from '../../testing/ledger-conformance.ts'
import { outages, patientLedger } from '../../testing/patient.ts'
import { verifyAudit } from '../audit.ts'
import type { Ledger, LedgerChange, RunRecord } from '../ledger.ts'
import { seededRandom } from '../../runtime/random.ts'
import { silentLog } from '../../runtime/log.ts'
import { type FileLedgerOptions, fileLedger } from './file.ts'
import { type Files, nodeFiles } from './files.ts'

const folders: string[] = []
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'gitops-ledger-'))
  folders.push(folder)
  return folder
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

testLedgerConformance({
  test,
  createLedger: async () => fileLedger(await newFolder()),
  reopenLedger: (ledger) => fileLedger(ledger.id.slice('file:'.length)),
})

describe('so it is for whoever asks again after an outage or a lost answer', () => {
  const schedule = outages(seededRandom(5), 0.3)
  testLedgerConformance({ test, createLedger: async () => patientLedger(fileLedger(await newFolder()), schedule) })
})

const run = (index: number): RunRecord => ({
  runId: `r${index}`,
  application: 'shop',
  startedAt: index,
  endedAt: index,
  trigger: 'interval',
  outcome: 'applied',
  counts: {},
  changed: [],
})
const change = (expect: number): LedgerChange => ({
  expect,
  state: { failures: expect },
  run: run(expect),
  audit: [{ at: expect, actor: 'ada', action: 'approved', details: {} }],
})

async function filled(options: FileLedgerOptions = {}, commits = 3): Promise<string> {
  const folder = await newFolder()
  await using ledger = fileLedger(folder, options)
  for (let version = 0; version < commits; version++) await ledger.commit('shop', change(version), testCall())
  return folder
}

async function edit(path: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  const edited = text.replace(from, to)
  expect(edited).not.toBe(text)
  await writeFile(path, edited)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

describe('a damaged file', () => {
  const current = (folder: string): string => join(folder, 'applications', 'app-shop.json')
  const previous = (folder: string): string => join(folder, 'applications', 'app-shop.previous.json')

  test.each<[string, (path: string) => Promise<void>]>([
    ['that was edited', (path) => edit(path, '"failures":2', '"failures":7')],
    ['that was torn', async (path) => writeFile(path, (await readFile(path)).subarray(0, 90))],
    ['that is empty', (path) => writeFile(path, '')],
    ['that is something else', (path) => writeFile(path, '{"hello":"world"}')],
  ])('%s is replaced by the copy before it, named in the log, and kept', async (_reason, damage) => {
    const folder = await filled()
    await damage(current(folder))
    const said: string[] = []
    const log = { ...silentLog, error: (message: string) => void said.push(message) }
    await using ledger = fileLedger(folder, { log })
    expect(await ledger.read('shop', testCall())).toMatchObject({ version: 2, state: { failures: 1 } })
    expect(said).toEqual([expect.stringContaining(current(folder))])
    expect(await readdir(join(folder, 'applications'))).toContain('app-shop.damaged.json')
    await ledger.commit('shop', { expect: 2, state: {} }, testCall())
    expect((await ledger.read('shop', testCall())).version).toBe(3)
  })

  test('without a good copy is an error that names it, for that application only', async () => {
    const folder = await filled()
    await edit(current(folder), '"failures":2', '"failures":7')
    await edit(previous(folder), '"failures":1', '"failures":7')
    await using ledger = fileLedger(folder)
    await expect(ledger.read('shop', testCall())).rejects.toMatchObject({
      code: 'LEDGER_CORRUPT',
      message: expect.stringContaining('app-shop'),
    })
    await expect(ledger.commit('shop', change(3), testCall())).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' })
    expect(await ledger.commit('queue', { expect: 0, state: {} }, testCall())).toBe(1)
  })

  test('of the history is an error that names file and line', async () => {
    const folder = await filled()
    const [history] = await readdir(join(folder, 'history'))
    await edit(join(folder, 'history', String(history)), '"runId":"r1"', '"runId":"r9"')
    await using ledger = fileLedger(folder)
    await ledger.commit('shop', change(3), testCall())
    await expect(all(ledger.history({}, testCall()))).rejects.toMatchObject({
      code: 'LEDGER_CORRUPT',
      message: expect.stringContaining('line 2'),
    })
  })

  test('of the audit log is found when its chain is verified', async () => {
    const folder = await filled()
    const [audit] = await readdir(join(folder, 'audit'))
    await edit(join(folder, 'audit', String(audit)), '"actor":"ada"', '"actor":"eve"')
    await using ledger = fileLedger(folder)
    await ledger.commit('shop', change(3), testCall())
    expect(await verifyAudit(ledger.audit({}, testCall()))).toMatchObject({ valid: false, sequence: 1 })
  })

  test('of the installation key is never replaced by a new key', async () => {
    const folder = await newFolder()
    await using ledger = fileLedger(folder)
    await ledger.installKey(testCall())
    await edit(join(folder, 'install-key'), /"[0-9a-f]/, '"g')
    await expect(ledger.installKey(testCall())).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' })
  })

  test('of a newer version of the library is refused, not guessed', async () => {
    const folder = await filled()
    await edit(current(folder), 'gitops-ledger 1', 'gitops-ledger 2')
    await using ledger = fileLedger(folder)
    await expect(ledger.read('shop', testCall())).rejects.toMatchObject({ code: 'LEDGER_VERSION' })
  })
})

describe('logs', () => {
  test('history stays within its limit, and the audit log is kept whole', async () => {
    const folder = await filled({ segmentBytes: 500, maxHistorySegments: 3 }, 30)
    expect(await readdir(join(folder, 'history'))).toHaveLength(3)
    await using ledger = fileLedger(folder)
    const runs = (await all(ledger.history({}, testCall()))).map(({ runId }) => runId)
    expect(runs).toEqual(Array.from({ length: runs.length }, (_, index) => `r${29 - index}`))
    expect(runs.length).toBeGreaterThan(3)
    expect(await verifyAudit(ledger.audit({}, testCall()))).toMatchObject({ valid: true, records: 30 })
    expect((await all(ledger.audit({ after: 27 }, testCall()))).map(({ sequence }) => sequence)).toEqual([28, 29, 30])
  })

  test('the rest of an unfinished append is cut off', async () => {
    const folder = await filled()
    const [name] = await readdir(join(folder, 'audit'))
    const path = join(folder, 'audit', String(name))
    await writeFile(path, `${await readFile(path, 'utf8')}{"at":9,"act`)
    await using ledger = fileLedger(folder)
    await ledger.commit('shop', change(3), testCall())
    expect(await verifyAudit(ledger.audit({}, testCall()))).toMatchObject({ valid: true, records: 4 })
  })
})

describe('a second process', () => {
  test('is refused while the first one lives, and the message says who that is', async () => {
    const folder = await newFolder()
    await using first = fileLedger(folder)
    await first.commit('shop', change(0), testCall())
    await using second = fileLedger(folder)
    await expect(second.read('shop', testCall())).rejects.toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
    })
  })

  test.each(['', 'not/there/yet'])(
    'a reader of a folder where nothing was stored (%j) finds an empty ledger',
    async (below) => {
      const folder = join(await newFolder(), below)
      await using ledger = fileLedger(folder, { readOnly: true })
      const call = testCall()
      expect(await ledger.read('shop', call)).toMatchObject({ application: 'shop', version: 0 })
      expect(await ledger.installKey(call)).toHaveLength(32)
      expect(await all(ledger.applications(call))).toEqual([])
      expect(await all(ledger.history({}, call))).toEqual([])
      expect(await all(ledger.audit({}, call))).toEqual([])
      expect(await readdir(folder).catch(() => [])).toEqual([])
    },
  )

  test('a reader refuses a ledger that has lost its key', async () => {
    const folder = await newFolder()
    const call = testCall()
    {
      await using ledger = fileLedger(folder)
      await ledger.commit('shop', change(0), call)
      await ledger.installKey(call)
    }
    await rm(join(folder, 'install-key'))
    await using ledger = fileLedger(folder, { readOnly: true })
    await expect(ledger.installKey(call)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' })
  })

  test('may read beside it, and sees what was written since', async () => {
    const folder = await newFolder()
    await using first = fileLedger(folder)
    await using second = fileLedger(folder, { readOnly: true })
    for (let version = 0; version < 2; version++) {
      await first.commit('shop', change(version), testCall())
      expect((await second.read('shop', testCall())).version).toBe(version + 1)
      expect(await all(second.history({}, testCall()))).toHaveLength(version + 1)
    }
    await expect(second.commit('shop', change(2), testCall())).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  test('takes over at once from one that was killed', async () => {
    const folder = await newFolder()
    const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await using first = fileLedger(folder)
    await first.commit('shop', change(0), testCall())
    const lock = JSON.parse(await readFile(join(folder, 'lock'), 'utf8')) as Record<string, unknown>
    await writeFile(join(folder, 'lock'), JSON.stringify({ ...lock, token: 'theirs', pid: child.pid, start: '' }))
    await using second = fileLedger(folder)
    await expect(second.read('shop', testCall())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    expect((await second.read('shop', testCall())).version).toBe(1)
    await expect(first.commit('shop', change(1), testCall())).rejects.toMatchObject({ code: 'LEDGER_FENCED' })
  })

  test('takes over from a process of the same number that is another one', async () => {
    const folder = await filled()
    await using first = fileLedger(folder)
    await first.read('shop', testCall())
    const lock = JSON.parse(await readFile(join(folder, 'lock'), 'utf8')) as Record<string, unknown>
    if (lock['start'] === '') return
    await writeFile(join(folder, 'lock'), JSON.stringify({ ...lock, token: 'theirs', start: '1' }))
    await using second = fileLedger(folder)
    expect((await second.read('shop', testCall())).version).toBe(3)
  })

  test('on another machine takes over when the first one gives no sign of life for a lease', async () => {
    const folder = await newFolder()
    await using first = fileLedger(folder, { leaseMs: 9_000 })
    const call = testCall()
    await first.commit('shop', change(0), call)
    const lock = JSON.parse(await readFile(join(folder, 'lock'), 'utf8')) as Record<string, unknown>
    await writeFile(join(folder, 'lock'), JSON.stringify({ ...lock, host: 'elsewhere' }))
    await using second = fileLedger(folder, { leaseMs: 9_000 })
    const refused = expect(second.read('shop', call)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
    await until(() => call.clock.pending > 1)
    // The first one beats within the lease.
    await call.clock.advance(4_000)
    await until(async () => (JSON.parse(await readFile(join(folder, 'lock'), 'utf8')) as { beat: number }).beat > 0)
    await call.clock.advance(6_000)
    await refused
    await first[Symbol.asyncDispose]()
    await writeFile(join(folder, 'lock'), JSON.stringify({ ...lock, token: 'dead', host: 'elsewhere' }))
    const taken = second.read('shop', call)
    await until(() => call.clock.pending > 0)
    await call.clock.advance(10_000)
    expect((await taken).version).toBe(1)
  })
})

/** Lets real file operations happen until something is so. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    if (await holds()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('It never came to that.')
}

describe('a disk that fails', () => {
  const failing = (code: string, broken: () => boolean): Files => {
    const fail = async (): Promise<never> => {
      throw Object.assign(new Error(code), { code })
    }
    return {
      ...nodeFiles,
      write: (path, content) => (broken() ? fail() : nodeFiles.write(path, content)),
      create: (path, content) => (broken() ? fail() : nodeFiles.create(path, content)),
      append: async (path, content) => {
        if (!broken()) return nodeFiles.append(path, content)
        await nodeFiles.append(path, content.subarray(0, 7))
        return fail()
      },
    }
  }

  test.each([
    ['ENOSPC', 'the disk is full'],
    ['EROFS', 'the disk is read-only'],
    ['EACCES', 'may not write there'],
  ])('with %s gives a typed error, loses nothing, and is used again when it works', async (code, words) => {
    const folder = await newFolder()
    let broken = false
    await using ledger = fileLedger(folder, { files: failing(code, () => broken) })
    const call = testCall()
    await ledger.commit('shop', change(0), call)
    broken = true
    const refused = { code: 'LEDGER_UNAVAILABLE', retryable: true, message: expect.stringContaining(words) }
    await expect(ledger.commit('shop', change(1), call)).rejects.toMatchObject(refused)
    await expect(ledger.commit('shop', { expect: 1, state: {} }, call)).rejects.toMatchObject(refused)
    broken = false
    const { version } = await ledger.read('shop', call)
    await ledger.commit('shop', change(version), call)
    expect(await verifyAudit(ledger.audit({}, call))).toMatchObject({ valid: true, records: version + 1 })
    expect((await all(ledger.history({}, call))).map(({ runId }) => runId)).toContain('r0')
  })

  test('when the disk fills up in the middle of a log, the commit is finished later', async () => {
    const folder = await newFolder()
    let broken = false
    const files = {
      ...failing('ENOSPC', () => broken),
      write: (path: string, content: Uint8Array) => nodeFiles.write(path, content),
    }
    await using ledger = fileLedger(folder, { files })
    const call = testCall()
    await ledger.commit('shop', change(0), call)
    broken = true
    await expect(ledger.commit('shop', change(1), call)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
    await expect(ledger.read('shop', call)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
    broken = false
    expect((await ledger.read('shop', call)).version).toBe(2)
    expect((await all(ledger.history({}, call))).map(({ runId }) => runId)).toEqual(['r1', 'r0'])
    expect(await verifyAudit(ledger.audit({}, call))).toMatchObject({ valid: true, records: 2 })
  })

  test('a path that is a file is an error that names it', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'file'), '')
    const ledger: Ledger = fileLedger(join(folder, 'file'))
    await expect(ledger.read('shop', testCall())).rejects.toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: expect.stringContaining(join(folder, 'file')),
    })
  })
})

test('closing does not wait for a lock that another machine holds', async () => {
  const folder = await newFolder()
  await using first = fileLedger(folder)
  await first.read('shop', testCall())
  const lock = JSON.parse(await readFile(join(folder, 'lock'), 'utf8')) as Record<string, unknown>
  await writeFile(join(folder, 'lock'), JSON.stringify({ ...lock, host: 'elsewhere' }))
  const second = fileLedger(folder)
  const call = testCall()
  const refused = expect(second.read('shop', call)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
  await until(() => call.clock.pending > 0)
  await second[Symbol.asyncDispose]()
  await refused
})

test('closing lets a commit in progress finish', async () => {
  const folder = await newFolder()
  const ledger = fileLedger(folder)
  await ledger.read('shop', testCall())
  const commits = Promise.allSettled([0, 1, 2].map((index) => ledger.commit(`app-${index}`, change(0), testCall())))
  await new Promise((resolve) => setImmediate(resolve))
  await ledger[Symbol.asyncDispose]()
  const kept = (await commits).filter(({ status }) => status === 'fulfilled').length
  await using again = fileLedger(folder)
  expect(await verifyAudit(again.audit({}, testCall()))).toMatchObject({ valid: true, records: kept })
  expect(await all(again.applications(testCall()))).toHaveLength(kept)
})

test('a closed ledger says so', async () => {
  const ledger = fileLedger(await newFolder())
  await ledger[Symbol.asyncDispose]?.()
  await expect(ledger.read('shop', testCall())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
})
