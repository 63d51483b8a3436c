import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCall } from '../../../runtime/call.ts'
import { type GitServer, startGitServer } from '../../../testing/git/git-server.ts'
import { gitSource } from '../source.ts'
import { parseAddress } from './address.ts'
import { sshArguments } from './ssh.ts'

let server: GitServer
let folder: string
let program: string
beforeAll(async () => {
  server = await startGitServer()
  folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-ssh-'))
  program = join(folder, 'ssh')
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})
/** Stands in for `ssh`: notes its arguments and runs the command here, as a server would, in a shell. */
beforeEach(() => install('shift $(($# - 1)); exec sh -c "$1"'))
const call = createCall()
let count = 0

async function install(script: string): Promise<void> {
  await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/arguments\n${script}\n`)
  await chmod(program, 0o755)
}

const ssh = (): { program: string; knownHostsFile: string } => ({
  program,
  knownHostsFile: join(folder, 'known hosts'),
})

test.each([2, 1, 0] as const)('reads, follows and writes over ssh, protocol %i', async (protocol) => {
  const repository = await server.createRepository(`it's a repository ${count++}`)
  const first = await repository.commit({ a: '1', 'sub/b': '2' })
  const committer = { name: 'Robot', email: 'robot@example.com' }
  const url = `ssh://git@example.com:2222${encodeURI(repository.folder)}`
  await using source = gitSource({ url, ref: 'main', ssh: ssh(), protocol, write: { committer } })
  expect((await source.resolve(call)).id).toBe(first)
  const second = await repository.commit({ a: '3' })
  const revision = await source.resolve(call)
  expect(revision.id).toBe(second)
  expect(Buffer.from(await (await source.snapshot(revision, call)).read('sub/b', call)).toString()).toBe('2')
  const written = await source.writer?.commit(
    () => ({ message: 'over ssh', files: new Map([['a', Buffer.from('4')]]) }),
    call,
  )
  expect(await repository.git('rev-parse', 'main')).toBe(written?.id)
  const args = (await readFile(join(folder, 'arguments'), 'utf8')).split('\n')
  expect(args).toContain('StrictHostKeyChecking=yes')
  expect(args.slice(args.indexOf('-p'), args.indexOf('-p') + 4)).toEqual(['-p', '2222', '--', 'git@example.com'])
})

test('nothing in an address becomes an option of ssh or a command of the far shell', () => {
  const hostile = parseAddress("git@example.com:a'; touch /tmp/owned; '!x")
  if (hostile.kind !== 'ssh') throw new Error('not an SSH address')
  const args = sshArguments(hostile, { knownHostsFile: '/known' }, 'git-upload-pack', 10_000)
  expect(args.slice(args.indexOf('--'))).toEqual([
    '--',
    'git@example.com',
    "git-upload-pack 'a'\\''; touch /tmp/owned; '\\'''\\!'x'",
  ])
  for (const url of ['ssh://-oProxyCommand=x/y', 'ssh://-oProxyCommand=x@host/y', '-oProxyCommand=x:y', 'git@host:-x'])
    expect(() => parseAddress(url), url).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

test('known hosts are required, with an absolute path', () => {
  expect(() => gitSource({ url: 'git@example.com:shop' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  const relative = { url: 'git@example.com:shop', ssh: { knownHostsFile: 'known_hosts' } }
  expect(() => gitSource(relative)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

test.each([
  ['ssh cannot connect', 'echo "Host key verification failed." >&2; exit 255', 'SOURCE_UNREACHABLE'],
  ['there is no such repository', 'echo "fatal: not a git repository" >&2; exit 128', 'SOURCE_NOT_FOUND'],
  ['git is not installed there', 'exit 127', 'SOURCE_PROTOCOL'],
  ['the far side prints a banner', 'echo "Welcome to this machine"', 'SOURCE_PROTOCOL'],
])('%s: a typed error', async (_what, script, code) => {
  await install(script)
  await using source = gitSource({ url: 'git@example.com:shop', ssh: ssh(), retry: { maxAttempts: 1 } })
  await expect(source.resolve(call)).rejects.toMatchObject({ code })
})

test('an abort kills an ssh that hangs', async () => {
  await install('exec sleep 600')
  await using source = gitSource({ url: 'git@example.com:shop', ssh: ssh() })
  const controller = new AbortController()
  const resolving = source.resolve(createCall({ signal: controller.signal }))
  controller.abort()
  await expect(resolving).rejects.toMatchObject({ code: 'CANCELLED' })
})
