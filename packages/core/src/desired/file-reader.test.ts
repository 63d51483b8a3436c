import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Inputs, RunCall } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { type MemoryFiles, memorySource } from '../source/memory.ts'
import type { Snapshot, TreeEntry } from '../source/source.ts'
import { walk } from '../source/walk.ts'
import { testCall } from '../testing/call.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import type { DesiredState } from './desired.ts'
import { type FileReader, fileReader } from './file-reader.ts'

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** An application that has lived for a while: every call for it carries the same lifetime. */
const living = (application = 'shop'): RunCall => testCall({ application, lifetime: {} })

/** A reader that upper-cases files, refuses `broken`, and notes which it was asked about. */
function shouting() {
  const asked: string[] = []
  const read = fileReader((bytes, path) => {
    asked.push(path)
    const text = textOf(bytes)
    if (text === 'broken') throw new GitOpsError('DECLARATION_INVALID', `${path} is broken.`)
    return `${path}: ${text.toUpperCase()}`
  })
  const takeAsked = (): string[] => asked.splice(0)
  return { read, takeAsked }
}

async function entriesOf(snapshot: Snapshot): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = []
  for await (const entry of walk(snapshot, '', testCall())) entries.push(entry)
  return entries
}

/** Reads what the newest commit of `source` holds. */
async function readHead<T>(read: FileReader<T>, source: ReturnType<typeof memorySource>, call: RunCall) {
  const snapshot = await source.snapshot(source.history[0]!, call)
  return read(snapshot, await entriesOf(snapshot), call)
}

const files = { 'a.txt': 'a', 'b.txt': 'b', 'c/a.txt': 'ca' }
const read = ['a.txt: A', 'b.txt: B', 'c/a.txt: CA']

interface Case {
  readonly why: string
  readonly commit: MemoryFiles
  readonly asked: readonly string[]
  readonly gives: readonly string[]
}

const commits: readonly Case[] = [
  { why: 'nothing changed', commit: {}, asked: [], gives: read },
  { why: 'one file changed', commit: { 'b.txt': 'x' }, asked: ['b.txt'], gives: [read[0]!, 'b.txt: X', read[2]!] },
  {
    why: 'a file is new',
    commit: { 'b2.txt': 'x' },
    asked: ['b2.txt'],
    gives: [...read.slice(0, 2), 'b2.txt: X', read[2]!],
  },
  { why: 'a file is gone', commit: { 'a.txt': null }, asked: [], gives: read.slice(1) },
  {
    why: 'a file was renamed: what it declares may be named after it',
    commit: { 'a.txt': null, 'z.txt': 'a' },
    asked: ['z.txt'],
    gives: [read[1]!, read[2]!, 'z.txt: A'],
  },
  {
    why: 'a file was moved to another folder',
    commit: { 'a.txt': null, 'c/b.txt': 'a' },
    asked: ['c/b.txt'],
    gives: [read[1]!, read[2]!, 'c/b.txt: A'],
  },
  {
    why: 'two files changed places: each content is known, and neither here',
    commit: { 'a.txt': 'b', 'b.txt': 'a' },
    asked: ['a.txt', 'b.txt'],
    gives: ['a.txt: B', 'b.txt: A', read[2]!],
  },
]

describe('what a file gave is given again while it is the same file', () => {
  test.each(commits)('$why', async ({ commit, asked, gives }) => {
    const source = memorySource({ files })
    const { read, takeAsked } = shouting()
    const call = living()
    await readHead(read, source, call)
    takeAsked()
    source.commit(commit)
    expect(await readHead(read, source, call)).toEqual(gives)
    expect(takeAsked()).toEqual(asked)
  })

  test('a commit of one file in a thousand reads one', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`${index}.txt`, `v${index}`]))
    const source = memorySource({ files: many })
    const { read, takeAsked } = shouting()
    const call = living()
    await readHead(read, source, call)
    expect(takeAsked()).toHaveLength(1_000)
    source.commit({ '500.txt': 'changed' })
    await readHead(read, source, call)
    expect(takeAsked()).toEqual(['500.txt'])
  })

  test('a rollback reads what differs, and gives what was declared then', async () => {
    const source = memorySource({ files })
    const { read, takeAsked } = shouting()
    const call = living()
    const before = await readHead(read, source, call)
    source.commit({ 'a.txt': 'worse', 'b.txt': null })
    await readHead(read, source, call)
    source.rewrite({}, { onto: source.history[1]! })
    takeAsked()
    expect(await readHead(read, source, call)).toEqual(before)
    expect(takeAsked()).toEqual(['a.txt', 'b.txt'])
  })

  test('a link with the bytes of a file is not that file', async () => {
    const source = memorySource({ files })
    const { read, takeAsked } = shouting()
    const call = living()
    const snapshot = await source.snapshot(source.history[0]!, call)
    const entries = await entriesOf(snapshot)
    await read(snapshot, entries, call)
    takeAsked()
    await read(
      snapshot,
      entries.map((entry) => ({ ...entry, type: 'symlink' })),
      call,
    )
    expect(takeAsked()).toEqual(entries.map(({ path }) => path))
  })
})

test('others of the process have a turn while many new files are read, and need none when few are', async () => {
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`${index}.txt`, 'x'.repeat(1_024)]))
  const source = memorySource({ files: many })
  const { read } = shouting()
  let turns = 0
  const call = living()
  const counting = { ...call, clock: { ...call.clock, turn: async () => void turns++ } }
  await readHead(read, source, counting)
  expect(turns).toBe(15)
  source.commit({ '500.txt': 'changed' })
  await readHead(read, source, counting)
  expect(turns).toBe(15)
})

describe('a file that cannot be read', () => {
  test('fails as it does the first time, as often as it is asked for, and is read once it is repaired', async () => {
    const source = memorySource({ files })
    const { read, takeAsked } = shouting()
    const call = living()
    await readHead(read, source, call)
    source.commit({ 'a.txt': 'x', 'b.txt': 'broken' })
    for (const _ of ['run', 'run again'])
      await expect(readHead(read, source, call)).rejects.toMatchObject({ message: 'b.txt is broken.' })
    source.commit({ 'b.txt': 'y' })
    takeAsked()
    expect(await readHead(read, source, call)).toEqual(['a.txt: X', 'b.txt: Y', 'c/a.txt: CA'])
    expect(takeAsked()).toEqual(['a.txt', 'b.txt'])
  })

  test('a source that fails is no empty file', async () => {
    const source = memorySource({ files })
    const { read } = shouting()
    const call = living()
    const snapshot = await source.snapshot(source.history[0]!, call)
    const down: Snapshot = { ...snapshot, read: () => Promise.reject(new GitOpsError('SOURCE_UNREACHABLE', 'Down.')) }
    await expect(read(down, await entriesOf(snapshot), call)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    expect(await read(snapshot, await entriesOf(snapshot), call)).toHaveLength(3)
  })
})

describe('what is remembered has an owner, a bound and an end', () => {
  test('a call without a lifetime remembers nothing', async () => {
    const source = memorySource({ files })
    const { read, takeAsked } = shouting()
    await readHead(read, source, testCall())
    await readHead(read, source, testCall())
    expect(takeAsked()).toHaveLength(6)
  })

  test('applications that share a reader do not see each other, whatever they are called', async () => {
    const [first, second] = [memorySource({ files }), memorySource({ files: { 'a.txt': 'other' } })]
    const { read, takeAsked } = shouting()
    const [one, another] = [living('shop'), living('shop')]
    for (const _ of ['run', 'run again']) {
      expect(await readHead(read, first, one)).toHaveLength(3)
      expect(await readHead(read, second, another)).toEqual(['a.txt: OTHER'])
    }
    expect(takeAsked()).toHaveLength(4)
  })

  test('a file that was not declared the last time is forgotten', async () => {
    const source = memorySource({ files })
    const { read, takeAsked } = shouting()
    const call = living()
    await readHead(read, source, call)
    source.commit({ 'a.txt': null })
    await readHead(read, source, call)
    source.commit({ 'a.txt': 'a' })
    takeAsked()
    await readHead(read, source, call)
    expect(takeAsked()).toEqual(['a.txt'])
  })
})

describe('a target that remembers declares what a new one would', () => {
  const path = fc.constantFrom('a/x.json', 'a/y.json', 'a/n/x.json', 'b/x.json', 'b/x.yaml', 'b/z.yaml', 'x.json')
  const text = fc.constantFrom(
    '{"v":1}',
    '{"v":2}',
    '{"v":1,"$order":{"wave":1}}',
    '{"v":1,"$options":{"prune":false},"$sensitive":["/v"]}',
    '{"v":1,"v":2}',
    'not a declaration',
    '{"v":9007199254740993}',
  )
  const commit = fc.record({
    files: fc.dictionary(path, fc.option(text), { minKeys: 1, maxKeys: 3 }),
    inputs: fc.constantFrom<Inputs>({}, { net: { id: { value: 'n1' } } }, { net: { id: { value: 'n2' } } }),
    back: fc.option(fc.nat({ max: 3 }), { freq: 4 }),
  })

  test.each(['', 'a'])('in the folder "%s", after any sequence of commits', async (folder) => {
    await fc.assert(
      fc.asyncProperty(fc.array(commit, { maxLength: 12 }), fc.boolean(), async (history, fills) => {
        const source = memorySource({ files: { 'a/first.json': '{"v":0}' } })
        const render = fills
          ? { render: (body: object, call: RunCall) => ({ ...body, ...JSON.parse(JSON.stringify(call.inputs)) }) }
          : {}
        const create = () => memoryTarget({ path: folder, ...render })
        const old = create()
        const lifetime = {}
        for (const { files, inputs, back } of history) {
          if (back === null) source.commit(files)
          else source.rewrite(files, { onto: source.history[Math.min(back, source.history.length - 1)]! })
          const snapshot = await source.snapshot(source.history[0]!, testCall())
          const remembered = await answerOf(old.declare(snapshot, testCall({ lifetime, inputs })))
          expect(remembered).toEqual(await answerOf(create().declare(snapshot, testCall({ inputs }))))
        }
      }),
    )
  })
})

/** What is declared, or how it fails. */
async function answerOf(declaring: Promise<DesiredState>): Promise<object> {
  try {
    return await declaring
  } catch (error) {
    return error instanceof GitOpsError
      ? { code: error.code, message: error.message, details: error.details }
      : fail(error)
  }
}

function fail(error: unknown): never {
  throw error
}
