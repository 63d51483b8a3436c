import { type ChildProcess, spawn } from 'node:child_process'
import { isAbsolute } from 'node:path'
import { type Call, GitOpsError, throwIfAborted } from '@gitops-sdk/core'
import type { Cli, Command, CommandEnd } from './cli.ts'
import { identify } from './identity.ts'
import { type Streams, fileStreams, memoryStreams } from './streams.ts'

/** How much the binary may say. */
export interface ProcessLimits {
  /**
   * Of each stream. More ends a command that only reads; one that writes is interrupted, and ended by force after its
   * grace or at twice as much. @defaultValue 268_435_456
   */
  readonly maxOutputBytes?: number
}

/**
 * Runs a binary on this machine. Throws `CONFIG_INVALID` for a path that is not absolute: a program is never
 * searched for.
 */
export function processCli(binary: string, { maxOutputBytes = 256 * 2 ** 20 }: ProcessLimits = {}): Cli {
  if (!isAbsolute(binary)) {
    const message = `binary must be an absolute path, not ${JSON.stringify(binary)}.`
    throw new GitOpsError('CONFIG_INVALID', message)
  }
  return { binary, run: (command, call) => runProcess(binary, command, maxOutputBytes, call) }
}

async function runProcess(binary: string, command: Command, maxOutputBytes: number, call: Call): Promise<CommandEnd> {
  throwIfAborted(call)
  refuseNul(binary, command.args)
  const streams = await streamsOf(command, maxOutputBytes, call)
  const child = start(binary, command, streams)
  const stopper = stopOnAbort(child, command.graceMs, call)
  let excess: GitOpsError | undefined
  streams.follow(child.stdout, child.stderr, (how) => {
    excess ??= tooMuch(binary, command, maxOutputBytes)
    if (how === 'far') killGroup(child)
    else stopper.stop()
  })
  const ended = endOf(child, binary)
  ended.catch(() => {})
  try {
    if (child.pid !== undefined) await command.onStarted?.(identify(child.pid))
    const exitCode = await ended
    if (excess !== undefined && command.streams === 'memory') throw excess
    return { exitCode, stopped: stopper.stopped(), ...(await streams.end()), ...(excess && { excess }) }
  } catch (error) {
    stopper.stop()
    await ended.catch(() => {})
    await streams.end()
    throw error
  } finally {
    stopper.dispose()
  }
}

function refuseNul(binary: string, args: readonly string[]): void {
  if (!args.some((arg) => arg.includes('\0'))) return
  throw new GitOpsError('CONFIG_INVALID', `${binary} was not started: an argument contains a NUL character.`)
}

function tooMuch(binary: string, { args }: Command, maxOutputBytes: number): GitOpsError {
  const message = `${binary} ${args[0] ?? ''} was ended: it said more than ${maxOutputBytes} bytes (maxOutputBytes). Split the module.`
  return new GitOpsError('DECLARATION_LIMIT', message, { details: { limit: 'maxOutputBytes' } })
}

function streamsOf(
  { streams, onLine = () => {} }: Command,
  maxOutputBytes: number,
  call: Call,
): Promise<Streams> | Streams {
  if (streams === 'memory') return memoryStreams(onLine, maxOutputBytes)
  return fileStreams(streams.folder, call.clock, onLine, maxOutputBytes)
}

/** A group of its own: a Ctrl-C of the terminal must not reach it beside our one signal. */
function start(binary: string, { args, folder, environment }: Command, { stdio }: Streams): ChildProcess {
  return spawn(binary, [...args], {
    cwd: folder,
    env: { ...environment },
    shell: false,
    detached: process.platform !== 'win32',
    stdio: [...stdio],
    windowsHide: true,
  })
}

function endOf(child: ChildProcess, binary: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(notStarted(binary, cause)))
    // `close` waits for the pipes, and a grandchild may hold those for ever; files hold nothing back.
    child.once(child.stdout === null ? 'exit' : 'close', (exitCode) => resolve(exitCode))
  })
}

function notStarted(binary: string, cause: Error): GitOpsError {
  const message = `${binary} could not be started. Check that it is installed and may be executed.`
  return new GitOpsError('CONFIG_INVALID', message, { cause })
}

interface Stopper {
  stop(): void
  stopped(): boolean
  dispose(): void
}

/**
 * One interrupt and a long grace. A second interrupt would make the binary give up what it is creating, which then
 * exists without being in the state.
 */
function stopOnAbort(child: ChildProcess, graceMs: number, call: Call): Stopper {
  let stopped = false
  let cancel = (): void => {}
  const stop = (): void => {
    if (stopped || child.pid === undefined || child.exitCode !== null) return
    stopped = true
    child.kill('SIGINT')
    const timer = call.clock.setTimer(graceMs, () => killGroup(child))
    cancel = () => timer.cancel()
  }
  call.signal.addEventListener('abort', stop, { once: true })
  if (call.signal.aborted) stop()
  const dispose = (): void => {
    cancel()
    call.signal.removeEventListener('abort', stop)
  }
  return { stop, stopped: () => stopped, dispose }
}

/** The whole group: what a local-exec started would live on otherwise. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // ESRCH: it has ended by itself.
  }
}
