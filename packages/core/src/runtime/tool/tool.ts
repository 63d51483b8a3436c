import { spawn, type ChildProcess } from 'node:child_process'
import { isAbsolute } from 'node:path'
import { abortError, type Call, throwIfAborted } from '../call.ts'
import { GitOpsError } from '../errors.ts'
import { captureHead, captureTail, readLines } from './capture.ts'
import { privateFolder } from './folder.ts'
import { createStopper, type Stopper } from './group.ts'

/** A program to run. Nothing in it passes through a shell. */
export interface ToolRun {
  /** Absolute path of the program: never searched for, never taken from input. */
  readonly program: string
  /** Options the caller wrote itself. */
  readonly options?: readonly string[]
  /** Values that came from outside: passed after `--`, so that none is taken for an option. */
  readonly operands?: readonly string[]
  /** The working directory. */
  readonly folder: string
  /** Added to what is inherited. */
  readonly env?: Readonly<Record<string, string>>
  /** Names of variables of this process that are handed on; nothing else is. @defaultValue `inheritedVariables` */
  readonly inherit?: readonly string[]
  /** Written to standard input, which is then closed. */
  readonly input?: string | Uint8Array
  readonly limits?: Partial<ToolLimits>
  /** Receives each line of standard output as it is printed. */
  readonly onLine?: (line: string) => void
}

/** How much a tool may use. */
export interface ToolLimits {
  /** @defaultValue 600_000 */
  readonly timeMs: number
  /** Between the request to stop and the end by force. @defaultValue 10_000 */
  readonly graceMs: number
  /** More ends the tool. @defaultValue 67_108_864 */
  readonly stdoutBytes: number
  /** The last of it is kept. @defaultValue 65_536 */
  readonly stderrBytes: number
}

/** How a tool ended. Its output may quote secrets: redact it before it is shown. */
export interface ToolResult {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stdout: Uint8Array
  readonly stderr: string
}

/** The limits where none are given. */
export const toolLimits: ToolLimits = {
  timeMs: 600_000,
  graceMs: 10_000,
  stdoutBytes: 64 * 1024 * 1024,
  stderrBytes: 64 * 1024,
}

/** The variables a tool inherits. `HOME` and `TMPDIR` are a private folder that is removed afterwards. */
export const inheritedVariables: readonly string[] = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'SystemRoot']

/**
 * Runs a program to its end, in a process group of its own, and says how it ended; what an exit code
 * means is for the caller. Afterwards nothing it started is left.
 *
 * Rejects with `CONFIG_INVALID` when it cannot be started, `DEADLINE_EXCEEDED`, `DECLARATION_LIMIT`
 * (too much output), or the reason of the call's abort. It is then asked to stop, and killed after
 * the grace time.
 */
export async function runTool(run: ToolRun, call: Call): Promise<ToolResult> {
  checkRun(run)
  throwIfAborted(call)
  const home = await privateFolder()
  try {
    return await watchTool(startTool(run, home.path), run, call)
  } finally {
    await home[Symbol.asyncDispose]()
  }
}

function checkRun(run: ToolRun): void {
  const refuse = (what: string): never => {
    throw new GitOpsError('CONFIG_INVALID', `${run.program} was not started: ${what}.`)
  }
  if (!isAbsolute(run.program)) refuse('the path of a program must be absolute')
  for (const text of [...(run.options ?? []), ...(run.operands ?? []), ...Object.values(run.env ?? {})])
    if (text.includes('\0')) refuse('an argument contains a NUL character')
}

function startTool(run: ToolRun, home: string): ChildProcess {
  const operands = run.operands === undefined ? [] : ['--', ...run.operands]
  return spawn(run.program, [...(run.options ?? []), ...operands], {
    cwd: run.folder,
    env: { ...inherited(run.inherit ?? inheritedVariables), HOME: home, TMPDIR: home, ...run.env },
    shell: false,
    detached: process.platform !== 'win32',
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
}

function inherited(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}

async function watchTool(child: ChildProcess, run: ToolRun, call: Call): Promise<ToolResult> {
  const limits = { ...toolLimits, ...run.limits }
  const stopper = createStopper(child, limits.graceMs, call.clock)
  const output = connect(child, run, limits, stopper)
  const onAbort = (): void => stopper.stop(abortError(call.signal))
  call.signal.addEventListener('abort', onAbort, { once: true })
  const timer = call.clock.setTimer(limits.timeMs, () => stopper.stop(tooSlow(run, limits)))
  try {
    const end = await ended(child, run, stopper)
    const reason = stopper.reason()
    if (reason !== undefined) throw reason
    return { ...end, ...output() }
  } finally {
    timer.cancel()
    call.signal.removeEventListener('abort', onAbort)
  }
}

function connect(child: ChildProcess, run: ToolRun, limits: ToolLimits, stopper: Stopper): () => Output {
  const { stdin, stdout, stderr } = child
  if (stdin === null || stdout === null || stderr === null) throw new GitOpsError('INTERNAL', 'A tool has no pipes.')
  const head = captureHead(stdout, limits.stdoutBytes, () => stopper.stop(tooMuch(run, limits)))
  const tail = captureTail(stderr, limits.stderrBytes)
  if (run.onLine !== undefined) readLines(stdout, limits.stdoutBytes, run.onLine)
  // A tool that ends without reading its input is no failure of ours; its exit code tells.
  stdin.on('error', () => {})
  stdin.end(run.input)
  return () => ({ stdout: head.bytes(), stderr: tail.text() })
}

type Output = Pick<ToolResult, 'stdout' | 'stderr'>
type End = Pick<ToolResult, 'exitCode' | 'signal'>

function ended(child: ChildProcess, run: ToolRun, stopper: Stopper): Promise<End> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(notStarted(run, cause)))
    child.once('exit', (exitCode, signal) => {
      stopper.sweep()
      closed(child, () => resolve({ exitCode, signal }))
    })
  })
}

// A descendant that left the group can hold the pipes open for ever: once the tool itself has ended,
// what is already in the pipes is read and no more is waited for.
function closed(child: ChildProcess, done: () => void): void {
  child.once('close', done)
  setImmediate(() =>
    setImmediate(() => {
      for (const stream of [child.stdout, child.stderr]) if (stream?.readableLength === 0) stream.destroy()
    }),
  )
}

function notStarted(run: ToolRun, cause: Error): GitOpsError {
  return new GitOpsError('CONFIG_INVALID', `${run.program} could not be started. Check that it is installed.`, {
    cause,
  })
}

function tooSlow(run: ToolRun, limits: ToolLimits): GitOpsError {
  return new GitOpsError('DEADLINE_EXCEEDED', `${run.program} took longer than ${limits.timeMs} ms and was ended.`)
}

function tooMuch(run: ToolRun, limits: ToolLimits): GitOpsError {
  const message = `${run.program} printed more than ${limits.stdoutBytes} bytes (limits.stdoutBytes) and was ended.`
  return new GitOpsError('DECLARATION_LIMIT', message)
}
