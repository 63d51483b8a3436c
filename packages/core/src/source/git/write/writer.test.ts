import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../../runtime/call.ts'
import { type FaultRule, type GitServer, startGitServer } from '../../../testing/git/git-server.ts'
import type { ServedRepository } from '../../../testing/git/served-repository.ts'
import { gitSource } from '../source.ts'
import type { SourceWriter } from '../../source.ts'

let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server.close())
const call = createCall()
const committer = { name: 'Reconciler', email: 'reconciler@example.com' }
let count = 0
const create = (): Promise<ServedRepository> => server.createRepository(`writer-${count++}`)
const toReceivePack: FaultRule = ({ method, service }) =>
  method === 'POST' && service === 'git-receive-pack' ? { kind: 'rewrite', rewrite: () => Buffer.alloc(0) } : undefined
const text = (content: string): Uint8Array => Buffer.from(content)

function writerOf(repository: ServedRepository, path = ''): SourceWriter {
  const { writer } = gitSource({ url: repository.url, ref: 'main', path, write: { committer } })
  if (writer === undefined) throw new Error('the source cannot be written')
  return writer
}

test('a commit changes what it names and leaves every other byte, mode and entry as it was', async () => {
  const repository = await create()
  const before = await repository.commit({
    'deploy/a.yaml': 'replicas: 1\n',
    'deploy/old.yaml': 'gone: soon\n',
    'deploy/run.sh': { content: '#!/bin/sh\n', mode: '100755' },
    link: { content: 'deploy', mode: '120000' },
    'README.md': 'unchanged without newline at end',
    'deploy.txt': 'sorts between deploy/ and deploy0',
  })
  const files = new Map([
    ['a.yaml', text('replicas: 2\n')],
    ['run.sh', text('#!/bin/bash\n')],
    ['new/deep/b.yaml', text('b: 1\n')],
    ['old.yaml', null],
  ])
  const author = { name: 'A Person', email: 'person@example.com' }
  const revision = await writerOf(repository, 'deploy').commit(() => ({ message: 'Scale up', author, files }), call)
  expect(await repository.git('rev-parse', 'main')).toBe(revision.id)
  await repository.git('fsck', '--strict')
  expect((await repository.git('diff-tree', '-r', '--name-status', before, revision.id)).split('\n')).toEqual([
    'M\tdeploy/a.yaml',
    'A\tdeploy/new/deep/b.yaml',
    'D\tdeploy/old.yaml',
    'M\tdeploy/run.sh',
  ])
  expect(await repository.git('ls-tree', 'main', 'deploy/run.sh')).toContain('100755')
  expect(await repository.git('log', '-1', '--format=%an <%ae> | %cn <%ce> | %s | %P', 'main')).toBe(
    `A Person <person@example.com> | Reconciler <reconciler@example.com> | Scale up | ${before}`,
  )
})

test('an edit that changes nothing makes no commit', async () => {
  const repository = await create()
  const head = await repository.commit({ a: '1' })
  const revision = await writerOf(repository).commit(
    () => ({ message: 'same', files: new Map([['a', text('1')]]) }),
    call,
  )
  expect(revision.id).toBe(head)
})

test('who loses the race makes the edit again on the commit of the winner, and nothing of it is lost', async () => {
  const repository = await create()
  await repository.commit({ counter: '0', other: '0' })
  let races = 2
  const revision = await writerOf(repository).commit(async (head) => {
    const seen = Buffer.from(await head.read('counter', call)).toString()
    if (races-- > 0) await repository.commit({ counter: `${Number(seen) + 10}` })
    return { message: 'increment', files: new Map([['counter', text(`${Number(seen) + 1}`)]]) }
  }, call)
  expect(await repository.git('show', `${revision.id}:counter`)).toBe('21')
  expect(await repository.git('rev-list', '--count', 'main')).toBe('4')
})

test('two writers at once both get through, one after the other', async () => {
  const repository = await create()
  await repository.commit({ log: '' })
  const add = (line: string): Promise<unknown> =>
    writerOf(repository).commit(async (head) => {
      const before = Buffer.from(await head.read('log', call)).toString()
      return { message: line, files: new Map([['log', text(`${before}${line}\n`)]]) }
    }, call)
  await Promise.all(['a', 'b', 'c', 'd'].map(add))
  expect((await repository.git('show', 'main:log')).split('\n').toSorted()).toEqual(['a', 'b', 'c', 'd'])
})

test('a refusal of the server is told in its words, and is no conflict', async () => {
  const repository = await create()
  const head = await repository.commit({ a: '1' })
  await repository.git('config', 'receive.denyDeletes', 'true')
  await writeFile(`${repository.folder}/hooks/update`, '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const writing = writerOf(repository).commit(() => ({ message: 'no', files: new Map([['a', text('2')]]) }), call)
  await expect(writing).rejects.toMatchObject({
    code: 'WRITE_REFUSED',
    message: expect.stringContaining('hook declined'),
  })
  expect(await repository.git('rev-parse', 'main')).toBe(head)
})

test('a push whose answer is lost is found out, not made twice', async () => {
  const repository = await create()
  await repository.commit({ a: '1' })
  server.fail(toReceivePack)
  const revision = await writerOf(repository).commit(
    () => ({ message: 'once', files: new Map([['a', text('2')]]) }),
    call,
  )
  server.fail(undefined)
  expect(await repository.git('rev-parse', 'main')).toBe(revision.id)
  expect(await repository.git('rev-list', '--count', 'main')).toBe('2')
})

test('a push whose answer is lost, and which others have built on since, is found below their commits', async () => {
  const repository = await create()
  await repository.commit({ a: '1' })
  const others = 'for i in 1 2 3; do git update-ref refs/heads/main $(git commit-tree -p main -m $i main^{tree}); done'
  const who = 'export GIT_AUTHOR_NAME=o GIT_AUTHOR_EMAIL=o@o GIT_COMMITTER_NAME=o GIT_COMMITTER_EMAIL=o@o'
  await writeFile(`${repository.folder}/hooks/post-receive`, `#!/bin/sh\n${who}\n${others}\n`, { mode: 0o755 })
  server.fail(toReceivePack)
  const edit = { message: 'once', files: new Map([['a', text('2')]]) }
  const revision = await writerOf(repository).commit(() => edit, call)
  server.fail(undefined)
  expect(await repository.git('rev-parse', 'main~3')).toBe(revision.id)
  expect(await repository.git('rev-list', '--count', 'main')).toBe('5')
})

test('a server that says ok and leaves the branch where it was is not believed', async () => {
  const repository = await create()
  const head = await repository.commit({ a: '1' })
  await writeFile(`${repository.folder}/hooks/update`, '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const ok = Buffer.from('000eunpack ok\n0016ok refs/heads/main0000')
  server.fail((request) => (toReceivePack(request) === undefined ? undefined : { kind: 'rewrite', rewrite: () => ok }))
  const writing = writerOf(repository).commit(() => ({ message: 'no', files: new Map([['a', text('2')]]) }), call)
  await expect(writing).rejects.toMatchObject({ code: 'WRITE_REFUSED', details: { ref: 'refs/heads/main' } })
  server.fail(undefined)
  expect(await repository.git('rev-parse', 'main')).toBe(head)
})

test('a signature is stored where git finds it, over the bytes that were signed', async () => {
  const repository = await create()
  await repository.commit({ a: '1' })
  const signed: string[] = []
  const sign = (payload: Uint8Array): string => {
    signed.push(Buffer.from(payload).toString())
    return '-----BEGIN SSH SIGNATURE-----\nAAAA\nBBBB\n-----END SSH SIGNATURE-----\n'
  }
  const { writer } = gitSource({ url: repository.url, ref: 'main', write: { committer, sign } })
  await writer?.commit(() => ({ message: 'signed', files: new Map([['a', text('2')]]) }), call)
  const stored = await repository.git('cat-file', 'commit', 'main')
  expect(stored).toContain('gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n BBBB\n -----END SSH SIGNATURE-----\n')
  expect(`${stored.replace(/gpgsig (.*\n )*.*\n/, '')}\n`).toBe(signed[0])
  await repository.git('fsck', '--strict')
})

test.each([
  ['../escape', 'SOURCE_PATH_UNSAFE'],
  ['.git/config', 'SOURCE_PATH_UNSAFE'],
  ['a/below-a-file', 'WRITE_REFUSED'],
  ['folder', 'WRITE_REFUSED'],
  ['link', 'WRITE_REFUSED'],
])('an edit of %s is refused and nothing is pushed', async (path, code) => {
  const repository = await create()
  const head = await repository.commit({ a: '1', 'folder/b': '1', link: { content: 'a', mode: '120000' } })
  const writing = writerOf(repository).commit(() => ({ message: 'x', files: new Map([[path, text('2')]]) }), call)
  await expect(writing).rejects.toMatchObject({ code })
  expect(await repository.git('rev-parse', 'main')).toBe(head)
})
