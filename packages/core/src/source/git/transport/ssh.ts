import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { isAbsolute } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { type Call, abortError, throwIfAborted } from '../../../runtime/call.ts'
import type { Timer } from '../../../runtime/clock.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import { printable, protocolError } from '../protocol/pkt-line.ts'
import type { SshAddress } from './address.ts'
import type { GitTimeouts, Service, Transport } from './transport.ts'

/** How the `ssh` of this machine is used. Its own configuration files are not read. */
export interface GitSsh {
  /** Absolute path of a file that lists the keys of known hosts. A host that is not in it is refused. */
  readonly knownHostsFile: string
  /** Absolute path of the private key. @defaultValue what the agent holds */
  readonly identityFile?: string
  /** Socket of an agent that holds the key. */
  readonly agentSocket?: string
  /** Absolute path of the program. @defaultValue `/usr/bin/ssh` */
  readonly program?: string
}

/** What the SSH transport needs besides an address. */
export interface SshTransportOptions {
  readonly ssh: GitSsh
  readonly timeouts: GitTimeouts
  readonly maxBytes: number
  readonly protocol: 0 | 1 | 2
}

/**
 * One `ssh` process for each request: nothing is left behind on either side. Not through `runTool`, which hands over
 * what a program printed once it has ended: a pack is decoded while it arrives, is counted against the limits of the
 * repository, and has deadlines for its first byte and for every silence. What `runTool` guards against holds here as
 * well: a fixed program by its absolute path, no shell, options before `--`, an environment of its own; and `ssh`
 * without configuration starts nothing that could outlive it.
 */
export function sshTransport(address: SshAddress, options: SshTransportOptions): Transport {
  const { program = '/usr/bin/ssh', knownHostsFile, identityFile } = options.ssh
  for (const path of [program, knownHostsFile, identityFile ?? '/'])
    if (!isAbsolute(path)) throw new GitOpsError('CONFIG_INVALID', 'The paths in `ssh` must be absolute.')
  const run = (service: Service, body: Buffer, call: Call): AsyncGenerator<Buffer, void> =>
    runSsh({ address, options, program, service, body }, call)
  return {
    greet: (service, call) => run(service, Buffer.from('0000'), call),
    exchange: (service, body, call) => withoutGreeting(run(service, body, call)),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** The arguments of `ssh`, the same for every request but for address and paths. */
export function sshArguments(address: SshAddress, ssh: GitSsh, service: Service, connectMs: number): readonly string[] {
  const option = (name: string, value: string): readonly string[] => ['-o', `${name}=${value}`]
  return [
    '-F',
    'none',
    '-T',
    '-x',
    '-a',
    ...option('BatchMode', 'yes'),
    ...option('StrictHostKeyChecking', 'yes'),
    ...option('UserKnownHostsFile', quoteOption(ssh.knownHostsFile)),
    ...option('GlobalKnownHostsFile', '/dev/null'),
    ...option('PermitLocalCommand', 'no'),
    ...option('ClearAllForwardings', 'yes'),
    ...option('ConnectTimeout', String(Math.max(1, Math.ceil(connectMs / 1000)))),
    ...option('SendEnv', 'GIT_PROTOCOL'),
    ...(ssh.identityFile === undefined ? [] : ['-i', ssh.identityFile, ...option('IdentitiesOnly', 'yes')]),
    ...(address.port === undefined ? [] : ['-p', String(address.port)]),
    '--',
    address.user === undefined ? address.host : `${address.user}@${address.host}`,
    `${service} ${quoteForShell(address.path)}`,
  ]
}

/** The far side passes the command to a shell: one word, whatever it holds. */
function quoteForShell(text: string): string {
  return `'${text.replace(/['!]/g, (character) => `'\\${character}'`)}'`
}

/** `ssh` splits the values of options at spaces unless they are quoted. */
function quoteOption(path: string): string {
  return `"${path.replaceAll('"', '')}"`
}

interface SshRun {
  readonly address: SshAddress
  readonly options: SshTransportOptions
  readonly program: string
  readonly service: Service
  readonly body: Buffer
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

async function* runSsh(run: SshRun, call: Call): AsyncGenerator<Buffer, void> {
  throwIfAborted(call)
  const { ssh, timeouts, maxBytes, protocol } = run.options
  const args = sshArguments(run.address, ssh, run.service, timeouts.connectMs)
  const child = spawn(run.program, [...args], { env: environment(ssh, protocol), stdio: ['pipe', 'pipe', 'pipe'] })
  const watch = watchChild(child, run, call)
  child.stdin.on('error', () => {})
  child.stdin.end(run.body)
  try {
    let received = 0
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      watch.heard()
      received += chunk.length
      if (received > maxBytes) throw tooLarge(maxBytes)
      yield chunk
    }
    await watch.ended(received)
  } finally {
    watch.stop()
  }
}

function environment(ssh: GitSsh, protocol: number): Record<string, string> {
  return {
    PATH: '/usr/bin:/bin',
    LC_ALL: 'C',
    ...(ssh.agentSocket === undefined ? {} : { SSH_AUTH_SOCK: ssh.agentSocket }),
    ...(protocol === 0 ? {} : { GIT_PROTOCOL: `version=${protocol}` }),
  }
}

interface ChildWatch {
  heard(): void
  /** Resolves when the process ended well; rejects with what went wrong. */
  ended(receivedBytes: number): Promise<void>
  stop(): void
}

function watchChild(child: Child, run: SshRun, call: Call): ChildWatch {
  const { silenceMs, firstByteMs, connectMs, totalMs } = run.options.timeouts
  let failure: GitOpsError | undefined
  let complaint = ''
  const giveUp = (error: GitOpsError): void => {
    failure ??= error
    child.kill('SIGKILL')
  }
  const arm = (afterMs: number): Timer => call.clock.setTimer(afterMs, () => giveUp(tooSlow(run.address, afterMs)))
  const onAbort = (): void => giveUp(abortError(call.signal))
  call.signal.addEventListener('abort', onAbort, { once: true })
  const total = arm(totalMs)
  let current = arm(connectMs + firstByteMs)
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString('utf8')).slice(-1_000)))
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', (cause) => {
      failure ??= new GitOpsError('CONFIG_INVALID', `${run.program} could not be started.`, { cause })
      resolve(null)
    })
    child.once('close', resolve)
  })
  return {
    heard: () => {
      current.cancel()
      current = arm(silenceMs)
    },
    ended: async () => {
      const code = await exited
      if (failure !== undefined) throw failure
      if (code !== 0) throw exitError(code, complaint, run.address)
    },
    stop: () => {
      current.cancel()
      total.cancel()
      call.signal.removeEventListener('abort', onAbort)
      child.kill('SIGKILL')
    },
  }
}

/** 255 is `ssh` itself: no connection, unknown host, no key. Everything else comes from the far side. */
function exitError(code: number | null, complaint: string, address: SshAddress): GitOpsError {
  const said = complaint.trim() === '' ? 'It said nothing.' : `It said: ${printable(lastWords(complaint))}.`
  const details = { host: address.host, exitCode: code }
  if (code === 255)
    return new GitOpsError('SOURCE_UNREACHABLE', `ssh did not reach ${address.host}. ${said}`, { details })
  if (code === 127) return new GitOpsError('SOURCE_PROTOCOL', `${address.host} does not know Git. ${said}`, { details })
  return new GitOpsError('SOURCE_NOT_FOUND', `${address.host} does not serve ${address.path}. ${said}`, { details })
}

/** `ssh` puts banners first and its verdict last. */
function lastWords(complaint: string): string {
  return complaint.trim().split('\n').slice(-3).join(' ').slice(-300)
}

function tooSlow({ host }: SshAddress, afterMs: number): GitOpsError {
  return new GitOpsError('DEADLINE_EXCEEDED', `${host} took longer than ${afterMs} ms to answer over ssh.`)
}

function tooLarge(maxBytes: number): GitOpsError {
  return new GitOpsError('SOURCE_LIMIT', `The answer exceeds limits.maxPackBytes (${maxBytes}).`)
}

/** Over a connection the server always greets first. Leaves that out, up to the packet that ends it. */
async function* withoutGreeting(chunks: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  let greeting: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of chunks) {
    if (greeting === undefined) {
      yield chunk
      continue
    }
    greeting = Buffer.concat([greeting, chunk])
    const end = endOfGreeting(greeting)
    if (end === undefined) continue
    yield greeting.subarray(end)
    greeting = undefined
  }
  if (greeting !== undefined) throw protocolError('The server ended its greeting too early.')
}

function endOfGreeting(bytes: Buffer): number | undefined {
  for (let at = 0; at + 4 <= bytes.length;) {
    const size = Number.parseInt(bytes.toString('latin1', at, at + 4), 16)
    if (size === 0) return at + 4
    if (Number.isNaN(size) || size < 4) throw protocolError('The server greeted with something that is not Git.')
    at += size
  }
  return undefined
}
