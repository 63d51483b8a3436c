import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createCall } from '../../../runtime/call.ts'
import { runGit } from '../../../testing/git/git-command.ts'
import { startGitServer } from '../../../testing/git/git-server.ts'
import type { ServedRepository } from '../../../testing/git/served-repository.ts'
import { gitSource } from '../source.ts'

const call = createCall()
const polls = 1_000
const content = (at: number, version: number): string =>
  Array.from({ length: 40 }, (_, line) => `key-${line}: ${(at * 31 + line * version) % 97}`).join('\n')

/** A thousand commits of one file each on top of four hundred files; gives them oldest first. */
async function makeHistory(repository: ServedRepository): Promise<readonly string[]> {
  await repository.commit(Object.fromEntries(Array.from({ length: 400 }, (_, at) => [pathOf(at), content(at, 0)])))
  const commits = Array.from({ length: polls }, (_, at) => {
    const text = content(at % 400, at + 1)
    const who = `committer T <t@example.com> ${1_700_100_000 + at} +0000`
    const from = at === 0 ? 'from refs/heads/main^0\n' : ''
    return `commit refs/heads/main\n${who}\ndata 1\nx\n${from}M 100644 inline ${pathOf(at % 400)}\ndata ${text.length}\n${text}\n`
  })
  await runGit(['fast-import', '--quiet'], { cwd: repository.folder, input: Buffer.from(commits.join('')) })
  return (await repository.git('rev-list', '--reverse', 'main')).split('\n').slice(1)
}

const pathOf = (at: number): string => `apps/team-${at % 20}/${at}.yaml`

/** What a folder takes on disk, and how many entries of packs have to be inflated to read all of `head` from nothing. */
async function costOf(folder: string, head: string): Promise<{ packs: number; bytes: number; inflated: number }> {
  const packs = join(folder, 'objects/pack')
  const names = await readdir(packs)
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(packs, name))).size))
  const wanted = new Set(
    (await runGit(['ls-tree', '-rt', '--format=%(objectname)', head], { cwd: folder })).split('\n'),
  )
  const indexes = names.filter((name) => name.endsWith('.idx'))
  const depths = new Map<string, number>()
  for (const name of indexes) {
    const listing = await runGit(['verify-pack', '-v', join(packs, name)], { cwd: folder })
    for (const line of listing.split('\n')) {
      const [oid = '', type = '', , , , depth = '0'] = line.split(/\s+/)
      if (/^(blob|tree)$/.test(type) && wanted.has(oid)) depths.set(oid, Math.min(depths.get(oid) ?? 99, Number(depth)))
    }
  }
  expect(depths.size).toBe(wanted.size)
  const inflated = [...depths.values()].reduce((sum, depth) => sum + depth + 1, 0)
  return { packs: indexes.length, bytes: sizes.reduce((sum, size) => sum + size, 0), inflated }
}

test('a thousand polls with a thousand commits leave reads as cheap, and the disk within twice a fresh clone', async () => {
  await using server = await startGitServer({ backend: 'upload-pack' })
  const repository = await server.createRepository('history')
  const commits = await makeHistory(repository)
  const root = await mkdtemp(join(tmpdir(), 'gitops-sdk-accumulation-'))
  try {
    const open = (name: string): ReturnType<typeof gitSource> =>
      gitSource({ url: repository.url, ref: 'main', storage: { folder: join(root, name) }, keepRevisions: 5 })
    await using source = open('followed')
    await repository.git('pack-refs', '--all')
    for (const commit of commits) {
      await writeFile(join(repository.folder, 'refs/heads/main'), `${commit}\n`)
      expect((await source.resolve(call)).id).toBe(commit)
    }
    // Packs are put together beside; what is looked at has to stand still.
    await source[Symbol.asyncDispose]()
    await using fresh = open('fresh')
    const head = (await fresh.resolve(call)).id
    const [followed, cloned] = [await costOf(join(root, 'followed'), head), await costOf(join(root, 'fresh'), head)]
    console.log(`after ${polls} commits`, followed, 'fresh', cloned)
    expect(followed.bytes).toBeLessThan(2 * cloned.bytes)
    expect(followed.inflated).toBeLessThan(1.5 * cloned.inflated)
    expect(followed.packs).toBeLessThanOrEqual(42)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}, 1_200_000)
