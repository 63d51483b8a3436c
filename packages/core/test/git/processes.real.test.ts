import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ServedRepository, startGitServer } from '@gitops-sdk/core/testing/git'
import { runGit } from '../../src/testing/git/git-command.ts'
import type { Answer, Task } from './reader-process.ts'

/** A process of its own on the shared folder. */
interface Reader {
  ask(task: Task): Promise<Answer>
  tell(task: Task): void
  end(): Promise<void>
  kill(): Promise<void>
}

function startReader(url: string, folder: string): Reader {
  const execArgv = ['--conditions=@gitops-sdk/source', '--import', 'tsx', '--no-warnings']
  const child = fork(join(import.meta.dirname, 'reader-process.ts'), [url, folder], { execArgv })
  const exited = once(child, 'exit')
  const tell = (task: Task): void => void child.send(task)
  const ask = async (task: Task): Promise<Answer> => {
    const answered = once(child, 'message')
    tell(task)
    const [answer] = await Promise.race([answered, exited.then(() => [{ kind: 'failed', message: 'it ended' }])])
    return answer
  }
  const end = async (): Promise<void> => {
    tell({ kind: 'end' })
    expect(await exited).toEqual([0, null])
  }
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  return { ask, tell, end, kill }
}

const content = (seed: number): string =>
  Array.from({ length: 120 }, (_, line) => createHash('sha1').update(`${seed} ${line}`).digest('base64')).join('\n')

/** Commits one after the other, with what a reader must find in each. */
function history(repository: ServedRepository): { next(): Promise<Expected> } {
  const files = new Map<string, string>()
  let count = 0
  const digest = (): string => {
    const hash = createHash('sha256')
    for (const [path, text] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      hash.update(`${path}\0`).update(text)
    return hash.digest('hex')
  }
  return {
    next: async () => {
      const changed = count === 0 ? 60 : 6
      const edits = Array.from({ length: changed }, (_, at) => (count * 5 + at) % 60)
      for (const at of edits) files.set(`f${10 + at}`, content(count * 1_000 + at))
      count++
      const revision = await repository.commit(
        Object.fromEntries(edits.map((at) => [`f${10 + at}`, files.get(`f${10 + at}`) ?? ''])),
      )
      return { kind: 'read', revision, digest: digest() }
    },
  }
}

type Expected = Extract<Answer, { kind: 'read' }>

async function diskBytes(folder: string): Promise<number> {
  const packs = join(folder, 'objects/pack')
  const sizes = await Promise.all((await readdir(packs)).map(async (name) => (await stat(join(packs, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

test('processes that share a folder, one of them killed while it writes, all read every file right', async () => {
  await using server = await startGitServer()
  const repository = await server.createRepository('shared')
  const root = await mkdtemp(join(tmpdir(), 'gitops-sdk-processes-'))
  const folder = join(root, 'shared')
  const commits = history(repository)
  const first = await commits.next()
  const readers = Array.from({ length: 3 }, () => startReader(repository.url, folder))
  const victims = ['.idx', 'gitops-state.json'].map((before) => ({
    before,
    reader: startReader(repository.url, folder),
  }))
  try {
    const all = [...readers, ...victims.map(({ reader }) => reader)]
    const everyone = (task: Task): Promise<Answer[]> => Promise.all(all.map((reader) => reader.ask(task)))
    expect(await everyone({ kind: 'read' })).toEqual(all.map(() => first))
    const seen = [first]
    // Each commit replaces a tenth of all bytes: packs are put together every few rounds, by everybody at once.
    for (let round = 0; round < 12; round++) {
      const expected = await commits.next()
      seen.push(expected)
      expect(await everyone({ kind: 'read' })).toEqual(all.map(() => expected))
    }
    for (const { before, reader } of victims) {
      const expected = await commits.next()
      seen.push(expected)
      reader.tell({ kind: 'stand still', before })
      // It holds the lock now, and has written a part of what belongs together.
      expect(await reader.ask({ kind: 'read' })).toMatchObject({ kind: 'stands still' })
      const others = Promise.all(readers.map((one) => one.ask({ kind: 'read' })))
      await reader.kill()
      expect(await others).toEqual(readers.map(() => expected))
    }
    const old = seen.at(-2) ?? first
    const task = { kind: 'read old', revision: old.revision } as const
    expect(await Promise.all(readers.map((reader) => reader.ask(task)))).toEqual(readers.map(() => old))
    const last = seen.at(-1) ?? first
    const late = startReader(repository.url, folder)
    const fresh = startReader(repository.url, join(root, 'fresh'))
    expect([await late.ask({ kind: 'read' }), await fresh.ask({ kind: 'read' })]).toEqual([last, last])
    await Promise.all([...readers, late, fresh].map((reader) => reader.end()))
    await leftInOrder(folder, join(root, 'fresh'), last.revision)
  } finally {
    await Promise.all([...readers, ...victims.map(({ reader }) => reader)].map((reader) => reader.kill()))
    await rm(root, { recursive: true, force: true })
  }
})

/** Nobody holds a lock, nothing half written is left, git finds nothing wrong, and the folder is small. */
async function leftInOrder(folder: string, fresh: string, revision: string): Promise<void> {
  const names = [...(await readdir(folder)), ...(await readdir(join(folder, 'objects/pack')))]
  expect(names.filter((name) => /lock|tmp/.test(name))).toEqual([])
  const packs = names.filter((name) => name.endsWith('.pack')).map((name) => name.replace(/pack$/, 'idx'))
  expect(names.filter((name) => name.endsWith('.idx')).toSorted()).toEqual(packs.toSorted())
  for (const pack of packs) await runGit(['verify-pack', join(folder, 'objects/pack', pack)], { cwd: folder })
  expect((await runGit(['ls-tree', '-r', '--name-only', revision], { cwd: folder })).trim().split('\n')).toHaveLength(
    60,
  )
  expect(await diskBytes(folder)).toBeLessThan(2 * (await diskBytes(fresh)))
}
