import { type ErrorCode, GitOpsError } from '@gitops-sdk/core'
import type { CommandEnd } from './cli.ts'
import { type Diagnostic, messageOf } from './messages.ts'

/** The errors a command reported, from its machine-readable stream. */
export function errorsOf(stdout: string): readonly Diagnostic[] {
  return diagnosticsOf(stdout).filter(({ severity }) => severity === 'error')
}

/** Every complaint of a command, in order. */
export function diagnosticsOf(stdout: string): readonly Diagnostic[] {
  return stdout.split('\n').flatMap((line) => {
    const message = line.includes('"diagnostic"') ? messageOf(line) : undefined
    return message?.type === 'diagnostic' ? [message.diagnostic] : []
  })
}

/**
 * What the failure of a command means. The binary has no codes: the summaries here are constants of its source, and
 * whatever is not among them gets `fallback`.
 */
export function failureOf(activity: string, end: CommandEnd, fallback: ErrorCode): GitOpsError {
  if (end.excess !== undefined) return end.excess
  const errors = errorsOf(end.stdout)
  const [first] = errors
  if (first === undefined) return unexplained(activity, end, fallback)
  const code = errors.map(codeOf).find((each) => each !== undefined) ?? fallback
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return new GitOpsError(code, `${activity} failed: ${sentenceOf(first)}${others}`, {
    details: {
      diagnostics: errors
        .slice(0, 20)
        .map(({ summary, address }) => ({ summary: cut(summary), ...(address && { address }) })),
    },
  })
}

/** One complaint in one line, with its place. */
export function sentenceOf({ summary, detail, file, line, address }: Diagnostic): string {
  const place = file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`
  const about = address === undefined ? '' : ` [${address}]`
  const text = holderOf(detail) ?? detail.split('\n').find((each) => each.trim() !== '') ?? ''
  return `${cut(summary)}${about}${text === '' ? '' : `: ${cut(text.trim())}`}${place}`
}

const codes: readonly (readonly [ErrorCode, RegExp])[] = [
  ['PLAN_STALE', /^Saved plan (is stale|does not match the given state)$/],
  ['TARGET_LOCKED', /^Error (acquiring|locking) (the )?state( lock)?/],
  [
    'DECLARATION_INVALID',
    /^(Unsupported (argument|block type)|Invalid (expression|reference)|Missing required argument|Reference to undeclared|Argument or block definition required|Unclosed configuration block|Duplicate )/,
  ],
]

function codeOf({ summary }: Diagnostic): ErrorCode | undefined {
  return codes.find(([, pattern]) => pattern.test(summary))?.[0]
}

/** Who holds a lock: the id after `already locked`; the block of details names whoever asks on some backends. */
function holderOf(detail: string): string | undefined {
  const holder = /already locked: ID=(\S+)/.exec(detail)?.[1]
  return holder === undefined ? undefined : `the state is locked by ${holder}`
}

function unexplained(activity: string, { exitCode, stderr }: CommandEnd, code: ErrorCode): GitOpsError {
  const last = plain(stderr)
    .split('\n')
    .filter((line) => /[A-Za-z]/.test(line))
    .slice(-6)
  const how = exitCode === null ? 'was ended by a signal' : `ended with code ${exitCode}`
  return new GitOpsError(
    code,
    `${activity} failed: the binary ${how}. ${last.map((line) => cut(line.trim())).join(' ')}`.trim(),
  )
}

/** No complaint needs more, and a provider may quote a whole document. */
const MAX_CHARACTERS = 500

/** A text that is safe to show: of a reasonable length, and without characters that steer a terminal. */
function cut(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const shown = text.replace(/\u001b\[[0-9;]*m/g, '').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
  return shown.length > MAX_CHARACTERS ? `${shown.slice(0, MAX_CHARACTERS)}…` : shown
}

/** Text without colours and the frame that the binary draws around its complaints. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
  return text.replace(/\u001b\[[0-9;]*m/g, '').replace(/^[╷│╵]\s?/gm, '')
}
