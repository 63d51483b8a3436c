import { writeFile } from 'node:fs/promises'
import { GitOpsError } from '@gitops-sdk/core'
import type { Cli, Command, CommandEnd } from '../cli/cli.ts'
import { identify } from '../cli/identity.ts'
import { processCli } from '../cli/process.ts'

/** One command of the binary as it was recorded. */
export interface RecordedCommand {
  /** Without paths, which differ from machine to machine. */
  readonly args: readonly string[]
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** The state after it, where it wrote one. */
  readonly state?: string
}

/**
 * The binary, played from a recording: the same commands in the same order give the same streams, exit codes, plans and
 * states. Another command than the recorded one rejects with `INTERNAL`, naming both. For targets with the managed
 * backend.
 */
export function scriptedTerraform(recording: readonly RecordedCommand[]): Cli {
  const rest = [...recording]
  return {
    binary: 'scripted terraform',
    run: async (command) => {
      const recorded = rest.shift()
      const args = withoutPaths(command.args)
      if (recorded === undefined || recorded.args.join(' ') !== args.join(' ')) throw unexpected(args, recorded)
      return play(command, recorded)
    },
  }
}

/** The binary itself, given as an absolute path or as what runs it, with everything that a recording needs written down. */
export function recordTerraform(binary: string | Cli, recording: RecordedCommand[]): Cli {
  const cli = typeof binary === 'string' ? processCli(binary) : binary
  return {
    binary: cli.binary,
    run: async (command, call) => {
      const before = await readState(command)
      const { exitCode, stdout, stderr } = await cli.run(command, call)
      const after = await readState(command)
      const args = withoutPaths(command.args)
      const slim = args[0] === 'show' ? usedPart(stdout) : stdout
      recording.push({ args, exitCode, stdout: slim, stderr, ...(after !== before && { state: after }) })
      return { exitCode, stdout, stderr, stopped: false }
    },
  }
}

async function play(command: Command, { exitCode, stdout, stderr, state }: RecordedCommand): Promise<CommandEnd> {
  await command.onStarted?.(identify(process.pid))
  for (const line of stdout.split('\n')) if (line !== '') command.onLine?.(line)
  const out = command.args.find((arg) => arg.startsWith('-out='))?.slice('-out='.length)
  if (out !== undefined) await writeFile(out, planFile(await readState(command)))
  if (state !== undefined) await writeState(command, state)
  return { exitCode, stdout, stderr, stopped: false }
}

function withoutPaths(args: readonly string[]): string[] {
  return args.map((arg) => arg.replace(/(^|=)\/.*$/, '$1<path>'))
}

/** Of a plan as data, what the target reads: the rest is most of it. */
function usedPart(stdout: string): string {
  const { prior_state: _prior, planned_values: _planned, ...rest } = JSON.parse(stdout) as Record<string, unknown>
  return JSON.stringify(rest)
}

function unexpected(args: readonly string[], recorded: RecordedCommand | undefined): GitOpsError {
  const wanted = recorded === undefined ? 'nothing more' : `\`${recorded.args.join(' ')}\``
  return new GitOpsError(
    'INTERNAL',
    `The recording holds ${wanted}, but \`${args.join(' ')}\` was run. Record it again.`,
  )
}

/** A plan as far as the target reads it: an archive with the state it was made from, without checksums. */
function planFile(state: string): Buffer {
  const { lineage = '', serial = 0 } = (state === '' ? {} : JSON.parse(state)) as { lineage?: string; serial?: number }
  const name = Buffer.from('tfstate')
  const content = Buffer.from(JSON.stringify({ lineage, serial }))
  const sizes = (header: Buffer, at: number): void => {
    header.writeUInt32LE(content.length, at + 4)
    header.writeUInt32LE(content.length, at + 8)
    header.writeUInt16LE(name.length, at + 12)
  }
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  sizes(local, 14)
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  sizes(entry, 16)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(local.length + name.length + content.length, 16)
  return Buffer.concat([local, name, content, entry, name, end])
}

/** Speaks to the managed backend as the binary does. */
async function ask({ environment }: Command, method: string, body?: string, query = ''): Promise<string> {
  const { TF_HTTP_ADDRESS: address, TF_HTTP_USERNAME: name, TF_HTTP_PASSWORD: token } = environment
  if (address === undefined) return ''
  const authorization = `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`
  const answer = await fetch(`${address}${query}`, {
    method,
    headers: { authorization },
    ...(body !== undefined && { body }),
  })
  if (!answer.ok) throw new GitOpsError('INTERNAL', `The backend answered ${answer.status} to ${method}.`)
  return answer.text()
}

const readState = (command: Command): Promise<string> => ask(command, 'GET')

/** The recorded state as the next version of the one that is there. */
async function writeState(command: Command, recorded: string): Promise<void> {
  const now = JSON.parse(await readState(command)) as { lineage: string; serial: number }
  const state = { ...(JSON.parse(recorded) as object), lineage: now.lineage, serial: now.serial + 1 }
  await ask(command, 'LOCK', '{"ID":"scripted"}')
  await ask(command, 'POST', JSON.stringify(state), '?ID=scripted')
  await ask(command, 'UNLOCK', '{"ID":"scripted"}')
}
