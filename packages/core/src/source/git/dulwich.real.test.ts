import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { freePort } from '../../testing/git/free-port.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
import type { ServedRepository } from '../../testing/git/served-repository.ts'
import { gitSource } from './source.ts'

const call = createCall()
const committer = { name: 'Robot', email: 'robot@example.com' }
let storage: GitServer
let repository: ServedRepository
let dulwich: ChildProcess
let url: string

/** Dulwich, a Git server in Python that shares no code with git, over a repository that git wrote. */
beforeAll(async () => {
  const script = join(import.meta.dirname, '../../../../../scripts/dulwich-install.mjs')
  const python = execFileSync('node', [script], { encoding: 'utf8' }).trim()
  storage = await startGitServer()
  repository = await storage.createRepository('other')
  await repository.commit({ 'app/config': 'version 1\n'.repeat(300), 'README.md': 'x' })
  await repository.git('tag', 'v1.0.0')
  const port = await freePort()
  dulwich = spawn(python, ['-m', 'dulwich.web', '-l', '127.0.0.1', '-p', String(port), repository.folder], {
    stdio: 'ignore',
  })
  url = `http://127.0.0.1:${port}/`
  for (let attempt = 0; attempt < 100 && !(await isUp(url)); attempt++) await setTimeout(100)
})
afterAll(async () => {
  dulwich.kill()
  await storage.close()
})

function isUp(address: string): Promise<boolean> {
  return fetch(address).then(
    () => true,
    () => false,
  )
}

test.each([2, 1, 0] as const)(
  'reads from another implementation, asked for protocol %i, and follows it',
  async (protocol) => {
    await using source = gitSource({ url, ref: 'main', protocol })
    const first = await source.resolve(call)
    expect(first.id).toBe(await repository.git('rev-parse', 'main'))
    const next = await repository.commit({ 'app/config': `${'version 1\n'.repeat(200)}asked for ${protocol}\n` })
    const revision = await source.resolve(call)
    expect(revision.id).toBe(next)
    const snapshot = await source.snapshot(revision, call)
    expect(Buffer.from(await snapshot.read('app/config', call)).toString()).toContain(`asked for ${protocol}`)
    expect(Buffer.from(await snapshot.read('README.md', call)).toString()).toBe('x')
  },
)

test.each([2, 1, 0] as const)(
  'writes to it, asked for protocol %i; who loses the race edits again',
  async (protocol) => {
    const head = await repository.commit({ counter: '1' })
    await using source = gitSource({ url, ref: 'main', protocol, write: { committer } })
    let races = 1
    const written = await source.writer?.commit(async (snapshot) => {
      const seen = Number(Buffer.from(await snapshot.read('counter', call)).toString())
      if (races-- > 0) await repository.commit({ counter: `${seen + 10}` })
      return { message: 'increment', files: new Map([['counter', Buffer.from(`${seen + 1}`)]]) }
    }, call)
    expect(await repository.git('rev-parse', 'main')).toBe(written?.id)
    expect(await repository.git('show', 'main:counter')).toBe('12')
    expect(await repository.git('rev-list', '--count', `${head}..main`)).toBe('2')
    await repository.git('fsck', '--strict')
  },
)

test('an unknown name is an error that lists what is there', async () => {
  await using unknown = gitSource({ url, ref: 'mian' })
  const nearby = expect.arrayContaining(['main', 'v1.0.0'])
  await expect(unknown.resolve(call)).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND', details: { nearby } })
})
