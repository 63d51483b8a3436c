import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
import { type ServedRepository } from '../../testing/git/served-repository.ts'
import { gitSource } from '../git/source.ts'
import { type AllowedSigner, parseAllowedSigners } from './allowed-signers.ts'
import { type SignatureRules, verifySignatures } from './signatures.ts'

// Real git and ssh-keygen make the signatures, on the fly.
let server: GitServer
let folder: string
let signers: readonly AllowedSigner[]
const call = createCall()
const canSign = spawnSync('ssh-keygen', ['-?']).error === undefined
if (!canSign) console.log('Signed commits of real git are not tested: ssh-keygen is not installed.')

beforeAll(async () => {
  if (!canSign) return
  server = await startGitServer()
  folder = mkdtempSync(join(tmpdir(), 'keys-'))
  for (const name of ['ada', 'eve'])
    execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-C', name, '-f', join(folder, name)])
  signers = parseAllowedSigners(`ada@example.com ${readFileSync(join(folder, 'ada.pub'), 'utf8')}`)
})
afterAll(async () => {
  if (!canSign) return
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const signing = (key: string): readonly string[] => [
  '-c',
  'gpg.format=ssh',
  '-c',
  `user.signingkey=${join(folder, key)}.pub`,
]

/** Commits a file signed by `key`, on top of `main`. */
async function signedCommit(repository: ServedRepository, key: string, content: string): Promise<string> {
  const unsigned = await repository.commit({ 'a.yaml': content })
  const parents = await repository.git('show', '-s', '--format=%P', unsigned)
  const parent = parents === '' ? [] : ['-p', parents]
  const signed = await repository.git(
    ...signing(key),
    'commit-tree',
    '-S',
    ...parent,
    '-m',
    content,
    `${unsigned}^{tree}`,
  )
  await repository.git('update-ref', 'refs/heads/main', signed)
  return signed
}

const sourceOf = ({ url }: ServedRepository, rules: SignatureRules, ref = 'main'): ReturnType<typeof gitSource> =>
  gitSource({ url, ref, onRewritten: 'follow', verify: verifySignatures(rules) })
const unverifiedFor = (reason: string): object => ({
  code: 'REVISION_UNVERIFIED',
  retryable: false,
  details: { reason },
})

test.skipIf(!canSign)('G26: what a trusted key signed comes into force, and nothing else does', async () => {
  const repository = await server.createRepository('head')
  await using source = sourceOf(repository, { ssh: signers })
  const first = await signedCommit(repository, 'ada', 'a: 1')
  expect((await source.resolve(call)).id).toBe(first)
  await repository.commit({ 'a.yaml': 'a: 2' })
  await expect(source.resolve(call)).rejects.toMatchObject(unverifiedFor('unsigned'))
  await signedCommit(repository, 'eve', 'a: 3')
  await expect(source.resolve(call)).rejects.toMatchObject(unverifiedFor('untrusted'))
  const last = await signedCommit(repository, 'ada', 'a: 4')
  expect((await source.resolve(call)).id).toBe(last)
})

test.skipIf(!canSign)('G26: a verified revision stays readable while the newest one is refused', async () => {
  const repository = await server.createRepository('stays')
  await using source = sourceOf(repository, { ssh: signers })
  await signedCommit(repository, 'ada', 'a: 1')
  const verified = await source.resolve(call)
  await signedCommit(repository, 'eve', 'a: 2')
  await expect(source.resolve(call)).rejects.toMatchObject(unverifiedFor('untrusted'))
  const snapshot = await source.snapshot(verified, call)
  expect(Buffer.from(await snapshot.read('a.yaml', call)).toString()).toBe('a: 1')
})

test.skipIf(!canSign)(
  'G27: in the modes tag and both, the annotated tag has to be signed for that very commit',
  async () => {
    const repository = await server.createRepository('tags')
    const commit = await signedCommit(repository, 'ada', 'a: 1')
    await repository.git(...signing('ada'), 'tag', '-s', '-m', 'one', 'v1', commit)
    await repository.git('tag', 'light', commit)
    await repository.git('tag', '-a', '-m', 'unsigned', 'unsigned', commit)
    await repository.git(...signing('eve'), 'tag', '-s', '-m', 'eve', 'by-eve', commit)
    await repository.git('update-ref', 'refs/tags/renamed', await repository.git('rev-parse', 'refs/tags/v1'))
    const verdict = async (ref: string, mode: 'tag' | 'both'): Promise<string> => {
      await using source = sourceOf(repository, { ssh: signers, mode }, ref)
      return (await source.resolve(call)).id
    }
    expect(await verdict('v1', 'tag')).toBe(commit)
    expect(await verdict('v1', 'both')).toBe(commit)
    await expect(verdict('light', 'tag')).rejects.toMatchObject(unverifiedFor('unsigned'))
    await expect(verdict('main', 'tag')).rejects.toMatchObject(unverifiedFor('unsigned'))
    await expect(verdict('unsigned', 'tag')).rejects.toMatchObject(unverifiedFor('unsigned'))
    await expect(verdict('by-eve', 'both')).rejects.toMatchObject(unverifiedFor('untrusted'))
    await expect(verdict('renamed', 'tag')).rejects.toMatchObject(unverifiedFor('wrong-target'))
  },
)

test.skipIf(!canSign)('G27: in the mode both, a signed tag does not make up for an unsigned commit', async () => {
  const repository = await server.createRepository('both')
  const commit = await repository.commit({ 'a.yaml': 'a: 1' })
  await repository.git(...signing('ada'), 'tag', '-s', '-m', 'one', 'v1', commit)
  await using source = sourceOf(repository, { ssh: signers, mode: 'both' }, 'v1')
  await expect(source.resolve(call)).rejects.toMatchObject(unverifiedFor('unsigned'))
})
