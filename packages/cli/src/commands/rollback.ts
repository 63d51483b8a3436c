import type { Command, Run } from '../command.ts'
import type { ExitCode } from '../io.ts'
import { waitOptions } from '../command.ts'
import { ready } from './apply.ts'

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
  await ready(run, name, to.id)
  print.value({ application: name, to, commit, pending: pending?.toJSON() })
  print.text(`${name}: ${print.mark('rolled back', 'well')} to ${to.id}`)
  if (commit !== undefined) print.text(`The source has it as ${commit.id}.`)
  if (pending !== undefined) print.text(`The source does not have it yet: ${pending.message}`)
  return 0
}
