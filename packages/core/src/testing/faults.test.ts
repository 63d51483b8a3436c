import { describe, expect, test } from 'vitest'
import { GitOpsError } from '../runtime/errors.ts'
import { seededRandom } from '../runtime/random.ts'
import { memorySource } from '../source/memory.ts'
import type { Source, TreeEntry } from '../source/source.ts'
import { testCall } from './call.ts'
import { type Fault, randomFaults, scheduledFaults, withFaults } from './faults.ts'

const error = new GitOpsError('SOURCE_UNREACHABLE', 'no answer')
const files = { a: '1', b: '2', c: '3' }
const faulty = (byMethod: Record<string, (Fault | undefined)[]>): Source =>
  withFaults(memorySource({ files }), scheduledFaults(byMethod))

async function list(source: Source): Promise<string[]> {
  const call = testCall()
  const snapshot = await source.snapshot(await source.resolve(call), call)
  const entries: TreeEntry[] = []
  for await (const entry of snapshot.list('', call)) entries.push(entry)
  return entries.map(({ path }) => path)
}

describe('faults of an answer', () => {
  test('fail: once, and then it works', async () => {
    const source = faulty({ resolve: [{ kind: 'fail', error }] })
    await expect(source.resolve(testCall())).rejects.toBe(error)
    expect(await list(source)).toEqual(['a', 'b', 'c'])
  })

  test('lose: the call was made and its answer is gone', async () => {
    const memory = memorySource({ files })
    const source = withFaults(memory, scheduledFaults({ 'writer.commit': [{ kind: 'lose', error }] }))
    const edit = { message: 'more', files: new Map([['d', new Uint8Array()]]) }
    await expect(source.writer.commit(() => edit, testCall())).rejects.toBe(error)
    expect(memory.history).toHaveLength(2)
  })

  test('delay: on the clock of the call', async () => {
    const call = testCall()
    let answered = false
    const waiting = (async () => {
      await faulty({ resolve: [{ kind: 'delay', delayMs: 100 }] }).resolve(call)
      answered = true
    })()
    await call.clock.advance(99)
    expect(answered).toBe(false)
    await call.clock.advance(1)
    await waiting
    expect(answered).toBe(true)
  })

  test('hang: until the call is aborted', async () => {
    const call = testCall()
    const waiting = (async () => faulty({ resolve: [{ kind: 'hang' }] }).resolve(call))()
    await call.clock.advance(3_600_000)
    call.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  test('duplicate: made twice', async () => {
    const memory = memorySource({ files })
    const source = withFaults(memory, scheduledFaults({ 'writer.commit': [{ kind: 'duplicate' }] }))
    let edits = 0
    await source.writer.commit(() => ({ message: String(edits++), files: new Map() }), testCall())
    expect(edits).toBe(2)
  })
})

describe('faults of a stream, also of what a method returned', () => {
  test.each<[string, Fault, string[] | GitOpsError]>([
    ['truncate: as if there were no more', { kind: 'truncate', afterItems: 2 }, ['a', 'b']],
    ['duplicate: every item twice', { kind: 'duplicate' }, ['a', 'a', 'b', 'b', 'c', 'c']],
    ['fail: at once', { kind: 'fail', error }, error],
    ['fail: on the way', { kind: 'fail', error, afterItems: 2 }, error],
    ['lose: at the end', { kind: 'lose', error }, error],
  ])('%s', async (_, fault, expected) => {
    const listing = list(faulty({ 'snapshot.list': [fault] }))
    if (Array.isArray(expected)) expect(await listing).toEqual(expected)
    else await expect(listing).rejects.toBe(expected)
  })
})

test('random faults are the same for the same seed', async () => {
  const run = async (seed: number): Promise<string> => {
    const source = withFaults(memorySource({ files }), randomFaults(seededRandom(seed), 0.5, [{ kind: 'fail', error }]))
    let trace = ''
    for (let index = 0; index < 20; index++) {
      try {
        await source.resolve(testCall())
        trace += '.'
      } catch {
        trace += 'x'
      }
    }
    return trace
  }
  expect(await run(1)).toBe(await run(1))
  expect(await run(1)).not.toBe(await run(2))
  expect(await run(1)).toMatch(/\.+.*x|x+.*\./)
})
