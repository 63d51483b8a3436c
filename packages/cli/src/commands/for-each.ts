import { type ErrorRecord, toGitOpsError } from '@gitops-sdk/core'
import type { Run } from '../command.ts'
import type { ExitCode } from '../io.ts'
import { errorText, isTimeout } from '../print.ts'

/** What a command found out about one application. `value` is what `--json` shows. */
export interface Answer {
  readonly code: ExitCode
  readonly value: unknown
}

/**
 * Does `work` for one application after the other. One that fails is told and does not keep the others from their
 * turn. The exit code is the gravest: a failure before a wait that was in vain, that before pending changes.
 */
export async function forEach(
  { applications, io, print }: Run,
  work: (name: string) => Promise<Answer>,
): Promise<ExitCode> {
  const answers: Answer[] = []
  for (const name of applications) {
    const answer = await work(name).catch((thrown: unknown) => {
      const error = toGitOpsError(thrown, `Working on ${name}`).toJSON()
      if (!print.json) io.err(`${print.mark('error', 'failed')} ${name}: ${errorText(error)}\n`)
      return failure(name, error)
    })
    answers.push(answer)
  }
  print.value(answers.map(({ value }) => value))
  return gravest(answers.map(({ code }) => code))
}

function failure(application: string, error: ErrorRecord): Answer {
  return { code: isTimeout(error) ? 3 : 1, value: { application, error } }
}

const byGravity: readonly ExitCode[] = [1, 3, 2, 0]

/** The exit code that stands for all of `codes`. */
function gravest(codes: readonly ExitCode[]): ExitCode {
  return byGravity.find((code) => codes.includes(code)) ?? 0
}
