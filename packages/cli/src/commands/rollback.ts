import type { Command, Run } from '../command.ts'
import type { ExitCode } from '../io.ts'
import { waitOptions } from '../command.ts'
import { isFinal, ready } from './apply.ts'
import { answerOf } from './outcome.ts'

/** Brings an earlier revision back, in the target and, where the source can be written, in the source. */
export const rollback: Command = {
  name: 'rollback',
  summary: 'bring an earlier revision back, and keep the newer one from being applied again',
  operands: '<application> <revision>',
  options: {
    reason: { type: 'string', value: 'text', summary: 'why, for the history and the commit' },
    ...(waitOptions['timeout'] && { timeout: waitOptions['timeout'] }),
  },
  readOnly: false,
  run: rollBack,
}

async function rollBack(run: Run): Promise<ExitCode> {
  const { reconciler, print, io, values, operand = '' } = run
  const [name = ''] = run.applications
  const reason = String(values['reason'] ?? 'No reason was given.')
  const { to, commit, pending } = await reconciler.rollback(name, { to: operand, by: io.user, reason })
  print.text(`${name}: held at ${to.id}; nothing newer is applied that was there before.`)
  if (commit !== undefined) print.text(`The source has it as ${commit.id}.`)
  if (pending !== undefined) print.text(`The source does not have it yet: ${pending.message}`)
  const result = await reconciler.reconcile(name)
  const waits = result.outcome === 'blocked' || isFinal(result)
  const answer = waits ? answerOf(result, print) : { code: 0 as const, value: {} }
  if (!waits) {
    // The commit of the rollback may be what it is at by now: it declares the same.
    await ready(run, name)
    print.text(`${name}: ${print.mark('rolled back', 'well')} to ${to.id}`)
  }
  print.value({ ...answer.value, application: name, to, commit, pending: pending?.toJSON() })
  return answer.code
}
