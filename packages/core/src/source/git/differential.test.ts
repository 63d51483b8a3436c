import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { runGitForBytes } from '../../testing/git/git-command.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
import type { CommittedFiles, ServedRepository } from '../../testing/git/served-repository.ts'
import { difference } from '../difference.ts'
import type { Snapshot } from '../source.ts'
import { type GitSource, gitSource } from './source.ts'

let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server.close())
const call = createCall()

/** Names that sort, quote or encode in ways that are easy to get wrong. */
const names = [
  'a',
  'a.b',
  'a0',
  'a-b',
  'B',
  'b',
  'ünïcode',
  'nfd-u\u0308',
  'nfc-\u00fc',
  '🙂',
  'space in name',
  'quote\'"s',
  'tab\tname',
  'con',
  'aux.yaml',
  'trailing.',
  'Z',
  '-dash',
  '.hidden',
  '.gitignore',
]

test.each(Array.from({ length: 6 }, (_, seed) => seed))(
  'reads what git reads, over a random history (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    const repository = await server.createRepository(`random-${seed}`)
    await using full = gitSource({ url: repository.url, ref: 'main', protocol: seed % 3 === 0 ? 0 : 2 })
    const revisions: { readonly id: string; readonly snapshot: Snapshot }[] = []
    for (let step = 0; step < 12; step++) {
      await randomCommit(repository, random)
      if (random.next() < 0.3) await randomMerge(repository, random)
      if (random.next() < 0.3) await repository.git('repack', '-adfq', `--depth=${1 + Math.floor(random.next() * 50)}`)
      if (random.next() < 0.4) continue
      const revision = await full.resolve(call)
      const snapshot = await full.snapshot(revision, call)
      expect(revision.id).toBe(await repository.git('rev-parse', 'main'))
      expect(await listing(snapshot, '')).toEqual(await gitListing(repository, revision.id))
      revisions.push({ id: revision.id, snapshot })
    }
    await expectSameContents(repository, revisions.at(-1))
    await expectSameDifference(repository, revisions.at(0), revisions.at(-1))
    await expectSamePart(repository, random)
  },
)

async function randomCommit(repository: ServedRepository, random: Random): Promise<void> {
  const files: Record<string, CommittedFiles[string]> = {}
  for (let at = 0; at < 1 + random.next() * 8; at++) files[randomPath(random)] = randomContent(random)
  const there = (await repository.git('ls-tree', '-rz', '--name-only', 'main').catch(() => ''))
    .split('\0')
    .filter((path) => path !== '')
  for (const path of there) if (random.next() < 0.1) files[path] = random.next() < 0.5 ? null : randomContent(random)
  await repository.commit(files)
}

function randomPath(random: Random): string {
  const depth = 1 + Math.floor(random.next() * 4)
  return Array.from({ length: depth }, (_, level) => `${pick(names, random)}${level === depth - 1 ? '.f' : ''}`).join(
    '/',
  )
}

function randomContent(random: Random): CommittedFiles[string] {
  const size = random.next() < 0.1 ? 100_000 : Math.floor(random.next() * 2_000)
  const content = Buffer.from(
    Array.from({ length: size }, (_, at) =>
      random.next() < 0.05 ? Math.floor(random.next() * 256) : 97 + ((at * 7) % 26),
    ),
  )
  return { content, mode: random.next() < 0.2 ? '100755' : '100644' }
}

async function randomMerge(repository: ServedRepository, random: Random): Promise<void> {
  const commits = (await repository.git('rev-list', 'main')).split('\n')
  const side = await repository.git('commit-tree', '-p', pick(commits, random), '-m', 'side', 'main^{tree}')
  const merge = await repository.git('commit-tree', '-p', 'main', '-p', side, '-m', 'merge', 'main^{tree}')
  await repository.git('update-ref', 'refs/heads/main', merge)
}

function pick<T>(values: readonly T[], random: Random): T {
  const value = values[Math.floor(random.next() * values.length)]
  if (value === undefined) throw new Error('nothing to pick from')
  return value
}

async function listing(snapshot: Snapshot, path: string): Promise<string[]> {
  const lines: string[] = []
  for await (const entry of snapshot.list(path, call)) {
    lines.push(`${entry.type} ${entry.digest} ${entry.path}`)
    if (entry.type === 'folder') lines.push(...(await listing(snapshot, entry.path)))
  }
  return lines.toSorted()
}

async function gitListing(repository: ServedRepository, commit: string): Promise<string[]> {
  const lines = (await repository.git('ls-tree', '-rtz', commit)).split('\0').filter((line) => line !== '')
  return lines
    .map((line) => {
      const [, type, oid, path] = /^\d+ (\w+) (\w+)\t([^]*)$/.exec(line) ?? []
      return `${type === 'tree' ? 'folder' : 'file'} ${oid} ${path}`
    })
    .toSorted()
}

async function expectSameContents(
  repository: ServedRepository,
  last: { readonly snapshot: Snapshot } | undefined,
): Promise<void> {
  if (last === undefined) throw new Error('no revision was read')
  for (const line of await listing(last.snapshot, '')) {
    const [, type, oid = '', path = ''] = /^(\w+) (\w+) ([^]*)$/.exec(line) ?? []
    if (type !== 'file') continue
    const expected = await runGitForBytes(['cat-file', 'blob', oid], { cwd: repository.folder })
    expect(expected.equals(await last.snapshot.read(path, call)), path).toBe(true)
  }
}

async function expectSameDifference(
  repository: ServedRepository,
  first: { readonly id: string; readonly snapshot: Snapshot } | undefined,
  last: { readonly id: string; readonly snapshot: Snapshot } | undefined,
): Promise<void> {
  if (first === undefined || last === undefined) throw new Error('no revision was read')
  const ours: string[] = []
  const letters = { added: 'A', removed: 'D', modified: 'M' } as const
  for await (const { path, change } of difference(first.snapshot, last.snapshot, '', call))
    ours.push(`${letters[change]} ${path}`)
  const fields = (
    await repository.git('diff-tree', '-r', '-z', '--name-status', '--no-renames', first.id, last.id)
  ).split('\0')
  const theirs = Array.from(
    { length: Math.floor(fields.length / 2) },
    (_, at) => `${fields[at * 2]} ${fields[at * 2 + 1]}`,
  )
  // Git also reports a file whose mode alone changed, which is the same content to a snapshot.
  const raw = await repository.git('diff-tree', '-r', '-z', '--no-renames', first.id, last.id)
  const sameContent = new Set(
    raw.split('\0:').flatMap((entry) => /^:?\d+ \d+ (\w+) \1 M\0([^]*?)\0?$/.exec(entry)?.[2] ?? []),
  )
  expect(ours.toSorted()).toEqual(theirs.filter((line) => !sameContent.has(line.slice(2))).toSorted())
}

/** One folder through a source that fetches only what is below it. */
async function expectSamePart(repository: ServedRepository, random: Random): Promise<void> {
  const folders = (await repository.git('ls-tree', '-rdz', '--name-only', 'main'))
    .split('\0')
    .filter((path) => path !== '')
  const path = pick(folders, random)
  await using part: GitSource = gitSource({ url: repository.url, ref: 'main', path })
  const snapshot = await part.snapshot(await part.resolve(call), call)
  const expected = await gitListing(repository, await repository.git('rev-parse', `main:${path}`))
  expect(await listing(snapshot, '')).toEqual(expected)
  for (const line of expected) {
    const [, oid = '', name = ''] = /^file (\w+) ([^]*)$/.exec(line) ?? []
    if (oid !== '')
      expect(
        (await runGitForBytes(['cat-file', 'blob', oid], { cwd: repository.folder })).equals(
          await snapshot.read(name, call),
        ),
      ).toBe(true)
  }
}
