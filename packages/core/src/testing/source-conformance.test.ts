import { expect, test } from 'vitest'
import { memorySource, type MemorySource } from '../source/memory.ts'
import type { Snapshot, Source } from '../source/source.ts'
import { testSourceConformance } from './source-conformance.ts'

/** The names of the statements a source fails. */
async function failuresOf(change: (old: MemorySource) => Partial<Source>): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = []
  const originals = new Map<Source, MemorySource>()
  testSourceConformance({
    test: (name, run) => tests.push([name, run]),
    createSource: (files) => {
      const memory = memorySource({ files })
      const source: Source = { ...memory, ...change(memory) }
      originals.set(source, memory)
      return source
    },
    change: (source, files) => void originals.get(source)!.commit(files),
  })
  const failed: string[] = []
  for (const [name, run] of tests) await run().catch(() => failed.push(name))
  return failed
}

/** A source whose snapshots are changed. */
const snapshots =
  (change: (old: Snapshot) => Partial<Snapshot>) =>
  (old: MemorySource): Partial<Source> => ({
    snapshot: async (...args) => {
      const snapshot = await old.snapshot(...args)
      return { ...snapshot, ...change(snapshot) }
    },
  })

test('a source that keeps every promise fails nothing', async () => {
  expect(await failuresOf(() => ({}))).toEqual([])
})

test.each<[string, (old: MemorySource) => Partial<Source>, string]>([
  [
    'resolves to something new each time',
    (old) => ({ resolve: async (call) => ({ ...(await old.resolve(call)), id: String(Math.random()) }) }),
    'the same store resolves to the same revision',
  ],
  [
    'shows credentials in its id',
    () => ({ id: 'https://maria:hunter2@example.com/repo' }),
    'the id is stable and carries no credentials',
  ],
  [
    'answers nothing for what is not there',
    snapshots(() => ({ read: async () => new Uint8Array() })),
    'what is not there is an error, never empty',
  ],
  [
    'ends a list early',
    snapshots((old) => ({
      async *list(...args) {
        for await (const entry of old.list(...args)) {
          yield entry
          return
        }
      },
    })),
    'a snapshot lists every folder, sorted by name in code-unit order',
  ],
  [
    'lists in any order',
    snapshots((old) => ({
      async *list(...args) {
        const entries = []
        for await (const entry of old.list(...args)) entries.unshift(entry)
        yield* entries
      },
    })),
    'a snapshot lists every folder, sorted by name in code-unit order',
  ],
  [
    'changes line endings',
    snapshots((old) => ({
      read: async (...args) =>
        new TextEncoder().encode(new TextDecoder().decode(await old.read(...args)).replaceAll('\n', '\r\n')),
    })),
    'files are read byte by byte as they are',
  ],
  [
    'has digests of names, not of content',
    snapshots(() => ({ digest: async (path) => path })),
    'digests are equal exactly where content is',
  ],
  [
    'always reads the newest revision',
    (old) => ({ snapshot: async (_, call) => old.snapshot(await old.resolve(call), call) }),
    'an older revision can still be read',
  ],
  [
    'knows every revision',
    (old) => ({
      snapshot: async (revision, call) =>
        old.snapshot(
          (await old.resolve(call)).id === revision.id
            ? revision
            : (old.history.find(({ id }) => id === revision.id) ?? old.history[0]!),
          call,
        ),
    }),
    'an unknown revision is an error',
  ],
  [
    'does not hear an abort',
    (old) => ({ resolve: (call) => old.resolve({ ...call, signal: new AbortController().signal }) }),
    'an aborted call is rejected by every verb',
  ],
  [
    'forgets to delete',
    (old) => ({
      writer: {
        commit: (edit, call) =>
          old.writer.commit(async (head) => {
            const { files, ...rest } = await edit(head)
            return { ...rest, files: new Map([...files].filter(([, bytes]) => bytes !== null)) }
          }, call),
      },
    }),
    'an edit is committed on the newest revision, and everything else stays',
  ],
])('a source that %s is caught', async (_, change, statement) => {
  expect(await failuresOf(change)).toContain(statement)
})
