import { describe, expect, test } from 'vitest'
import { testCall } from '../testing/call.ts'
import { testSourceConformance } from '../testing/source-conformance.ts'
import { memorySource, type MemorySource } from './memory.ts'

describe('a memory source is a source', () => {
  testSourceConformance({
    test,
    createSource: (files) => memorySource({ files }),
    change: (source, files) => void source.commit(files),
  })
})

describe('a folder of a memory source is a source', () => {
  testSourceConformance({
    test,
    createSource: (files) => {
      const source = memorySource().at('deploy')
      source.commit(files)
      return source
    },
    change: (source, files) => void source.commit(files),
  })
})

const text = async (source: MemorySource, path: string): Promise<string> => {
  const call = testCall()
  return new TextDecoder().decode(await (await source.snapshot(await source.resolve(call), call)).read(path, call))
}

test('an empty source is an error, not an empty desired state', async () => {
  await expect(memorySource().resolve(testCall())).rejects.toMatchObject({ code: 'SOURCE_EMPTY' })
})

test('objects are written as JSON, and null deletes', async () => {
  const source = memorySource({ files: { 'queue/orders.json': { size: 3 }, 'queue/old.json': {} } })
  expect(await text(source, 'queue/orders.json')).toBe('{\n  "size": 3\n}\n')
  source.commit({ 'queue/old.json': null })
  await expect(text(source, 'queue/old.json')).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' })
})

test('history runs from the newest to the oldest, and says who and why', () => {
  const source = memorySource({ files: { a: '1' } })
  source.commit({ a: '2' }, { message: 'Raise a', author: 'maria', at: 5 })
  expect(source.history).toMatchObject([{ message: 'Raise a', author: 'maria', at: 5 }, { name: 'main' }])
})

test('a force-push replaces the head; whether the old commit can be read is said', async () => {
  const source = memorySource({ files: { a: '1' } })
  const old = source.commit({ a: '2' })
  source.rewrite({ a: '3' })
  expect(await text(source, 'a')).toBe('3')
  expect(source.history).toHaveLength(2)
  await expect(source.snapshot(old, testCall())).resolves.toBeDefined()
  const second = source.history[0]!
  source.rewrite({ a: '4' }, { forget: true })
  await expect(source.snapshot(second, testCall())).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' })
  source.rewrite({ b: '1' }, { onto: null })
  expect(source.history).toHaveLength(1)
})

test('a rewritten history can be refused', async () => {
  const source = memorySource({ files: { a: '1' }, rewrites: 'refuse' })
  source.commit({ a: '2' })
  await source.resolve(testCall())
  source.commit({ a: '3' })
  await source.resolve(testCall())
  source.rewrite({ a: '4' })
  await expect(source.resolve(testCall())).rejects.toMatchObject({ code: 'REVISION_REWRITTEN' })
})

test('a writer that always loses gives up', async () => {
  const source = memorySource({ files: { a: '1' } })
  const edit = (): { message: string; files: Map<string, null> } => {
    source.commit({ b: String(source.history.length) })
    return { message: 'Delete a', files: new Map([['a', null]]) }
  }
  await expect(source.writer.commit(edit, testCall())).rejects.toMatchObject({ code: 'WRITE_CONFLICT' })
  expect(await text(source, 'a')).toBe('1')
})

test.each(['../a', '/a', 'a//b', 'a/./b', 'a\\b', 'a\0b', ''])('the path %j is refused', (path) => {
  expect(() => memorySource({ files: { [path]: 'x' } })).toThrow(
    expect.objectContaining({ code: 'SOURCE_PATH_UNSAFE' }),
  )
})

test('a file cannot also be a folder', () => {
  expect(() => memorySource({ files: { a: '1', 'a/b': '2' } })).toThrow(
    expect.objectContaining({ code: 'SOURCE_PATH_UNSAFE' }),
  )
})
