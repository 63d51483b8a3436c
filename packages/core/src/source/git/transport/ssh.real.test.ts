import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../../runtime/call.ts'
import { freePort } from '../../../testing/git/free-port.ts'
import { type GitServer, startGitServer } from '../../../testing/git/git-server.ts'
import type { ServedRepository } from '../../../testing/git/served-repository.ts'
import { type GitSource, gitSource } from '../source.ts'
import type { GitSsh } from './ssh.ts'

const program = '/usr/sbin/sshd'
const missing = [program, '/usr/bin/ssh', '/usr/bin/ssh-keygen', '/run/sshd'].filter((path) => !existsSync(path))
if (missing.length > 0) console.log(`A real sshd is not tested: no ${missing.join(', ')}. Run: pnpm git:install`)

const call = createCall()
const committer = { name: 'Robot', email: 'robot@example.com' }
let storage: GitServer
let repository: ServedRepository
let folder: string
let sshd: ChildProcess
let port: number

/** The OpenSSH server of this machine, as an ordinary process on the loopback interface with keys of its own. */
beforeAll(async () => {
  if (missing.length > 0) return
  storage = await startGitServer()
  repository = await storage.createRepository('over ssh')
  await repository.commit({ 'app/config': 'version 1\n'.repeat(300), 'README.md': 'x' })
  folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-sshd-'))
  for (const name of ['host', 'client', 'stranger'])
    execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-f', join(folder, name)])
  await writeFile(join(folder, 'authorized_keys'), await readFile(join(folder, 'client.pub')), { mode: 0o600 })
  port = await freePort()
  await writeFile(join(folder, 'known_hosts'), await knownHost('host'))
  await writeFile(join(folder, 'config'), configuration())
  sshd = spawn(program, ['-D', '-e', '-f', join(folder, 'config')], { stdio: 'ignore' })
  await answering()
})
afterAll(async () => {
  if (missing.length > 0) return
  sshd.kill()
  await storage.close()
  await rm(folder, { recursive: true, force: true })
})

async function knownHost(key: string): Promise<string> {
  return `[127.0.0.1]:${port} ${await readFile(join(folder, `${key}.pub`), 'utf8')}`
}

const configuration = (): string => `
ListenAddress 127.0.0.1
Port ${port}
HostKey ${join(folder, 'host')}
AuthorizedKeysFile ${join(folder, 'authorized_keys')}
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
AcceptEnv GIT_PROTOCOL
`

/** Waits until the server lets the client in. */
async function answering(): Promise<void> {
  const args = ['-F', 'none', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${join(folder, 'known_hosts')}`]
  const target = ['-i', join(folder, 'client'), '-p', String(port), `${userInfo().username}@127.0.0.1`, 'true']
  for (let attempt = 1; ; attempt++) {
    try {
      execFileSync('/usr/bin/ssh', [...args, ...target], { stdio: 'pipe' })
      return
    } catch (error) {
      if (attempt === 50) throw error
      await setTimeout(100)
    }
  }
}

function open(options: { ssh?: Partial<GitSsh>; protocol?: 0 | 1 | 2; path?: string } = {}): GitSource {
  const ssh = { knownHostsFile: join(folder, 'known_hosts'), identityFile: join(folder, 'client'), ...options.ssh }
  const url = `ssh://${userInfo().username}@127.0.0.1:${port}${encodeURI(options.path ?? repository.folder)}`
  const protocol = options.protocol ?? 2
  return gitSource({ url, ref: 'main', protocol, ssh, write: { committer }, retry: { maxAttempts: 1 } })
}

test.skipIf(missing.length > 0).each([2, 1, 0] as const)(
  'reads, follows and writes through a real sshd, protocol %i',
  async (protocol) => {
    await using source = open({ protocol })
    expect((await source.resolve(call)).id).toBe(await repository.git('rev-parse', 'main'))
    const next = await repository.commit({ 'app/config': `${'version 1\n'.repeat(200)}asked for ${protocol}\n` })
    const revision = await source.resolve(call)
    expect(revision.id).toBe(next)
    const snapshot = await source.snapshot(revision, call)
    expect(Buffer.from(await snapshot.read('app/config', call)).toString()).toContain(`asked for ${protocol}`)
    const edit = { message: 'over ssh', files: new Map([['README.md', Buffer.from(`written ${protocol}`)]]) }
    const written = await source.writer?.commit(() => edit, call)
    expect(await repository.git('rev-parse', 'main')).toBe(written?.id)
    expect(await repository.git('show', 'main:README.md')).toBe(`written ${protocol}`)
  },
)

test.skipIf(missing.length > 0)('a host whose key is not the known one is refused', async () => {
  const knownHostsFile = join(folder, 'other hosts')
  await writeFile(knownHostsFile, await knownHost('stranger'))
  await using source = open({ ssh: { knownHostsFile } })
  await expect(source.resolve(call)).rejects.toMatchObject({
    code: 'SOURCE_UNREACHABLE',
    message: expect.stringContaining('Host key verification failed'),
  })
})

test.skipIf(missing.length > 0)('a key that is not authorised is refused, without a question to anybody', async () => {
  await using source = open({ ssh: { identityFile: join(folder, 'stranger') } })
  await expect(source.resolve(call)).rejects.toMatchObject({
    code: 'SOURCE_UNREACHABLE',
    message: expect.stringContaining('Permission denied'),
  })
})

test.skipIf(missing.length > 0)('a path that holds no repository is told as that', async () => {
  await using source = open({ path: join(folder, 'nothing') })
  await expect(source.resolve(call)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
})
