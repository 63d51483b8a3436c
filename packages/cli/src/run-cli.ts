import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { GitOpsError, type Reconciler, createReconciler, toGitOpsError } from '@gitops-sdk/core'
import { type Command, type Values, commonOptions } from './command.ts'
import type { ExitCode, Io } from './io.ts'
import { commands } from './commands/all.ts'
import { completionFor } from './completion.ts'
import { loadConfig } from './config.ts'
import { helpOf, overview } from './help.ts'
import { applicationOf } from './look.ts'
import { createPrint, printError } from './print.ts'
import { createProgressLine } from './progress.ts'
import { guarded } from './terminal.ts'

/** Does what `args` (without node and script) ask for and says how it ended. Does not reject. */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  const own = guarded(io)
  const print = createPrint(own, args.includes('--json'))
  try {
    return await dispatch(args, io)
  } catch (thrown) {
    return printError(own, print, toGitOpsError(thrown, 'The command'))
  }
}

async function dispatch([name, ...rest]: readonly string[], io: Io): Promise<ExitCode> {
  if (name === undefined || name === 'help' || name === '--help') return say(io, overview(commands))
  if (name === '--version') return say(io, `${await ownVersion()}\n`)
  if (name === 'completion') return say(io, completionFor(rest[0], commands))
  const command = commands.find((each) => each.name === name)
  if (command === undefined) {
    const names = commands.map((each) => each.name).join(', ')
    throw new GitOpsError(
      'CONFIG_INVALID',
      `There is no command ${JSON.stringify(name)}. There are: ${names}, completion.`,
    )
  }
  const { values, positionals } = parse(command, rest)
  if (values['help'] === true) return say(io, helpOf(command))
  return runCommand(command, positionals, values, io)
}

async function ownVersion(): Promise<string> {
  const manifest: { readonly version: string } = JSON.parse(
    await readFile(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}

function say(io: Io, text: string): ExitCode {
  io.out(text)
  return 0
}

function parse(command: Command, args: readonly string[]): { values: Values; positionals: readonly string[] } {
  const described = Object.entries({ ...command.options, ...commonOptions })
  const options = Object.fromEntries(described.map(([name, { type }]) => [name, { type }]))
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (cause) {
    // Node goes on with advice about `--`, which helps nobody who mistyped an option.
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('. To specify')
    throw new GitOpsError('CONFIG_INVALID', `${reason?.replace(/\.?$/, '.')} See: gitops ${command.name} --help`, {
      cause,
    })
  }
}

async function runCommand(command: Command, positionals: readonly string[], values: Values, io: Io): Promise<ExitCode> {
  const { names, operand } = operandsOf(command, positionals)
  const file = typeof values['config'] === 'string' ? values['config'] : undefined
  const config = await loadConfig(io.cwd, file, { command: command.name, readOnly: command.readOnly })
  const all = (config.applications ?? []).map((application) => application.name)
  for (const name of names) applicationOf(config, name)
  const reconciler = createReconciler(config)
  const line = createProgressLine(io)
  const unfollow = line.follow(reconciler)
  const stopListening = endWith(io.signal, command, reconciler)
  try {
    const applications = names.length === 0 ? all : names
    const own = guarded(line.io)
    const print = createPrint(own, values['json'] === true)
    return await command.run({ io: own, print, config, reconciler, applications, values, operand })
  } finally {
    stopListening()
    unfollow()
    await reconciler[Symbol.asyncDispose]()
  }
}

/** Ctrl-C ends waits at once and lets what is being applied finish. `watch` listens itself. */
function endWith(signal: AbortSignal, { name }: Command, reconciler: Reconciler): () => void {
  const stop = (): void => void (name === 'watch' || reconciler.stop())
  signal.addEventListener('abort', stop, { once: true })
  return () => signal.removeEventListener('abort', stop)
}

function operandsOf(
  { name, operands }: Command,
  given: readonly string[],
): { names: readonly string[]; operand?: string } {
  if (operands.startsWith('[')) return { names: given }
  const [application, operand] = given
  if (application !== undefined && operand !== undefined && given.length === 2) return { names: [application], operand }
  throw new GitOpsError('CONFIG_INVALID', `Write: gitops ${name} ${operands}`)
}
