import { GitOpsError, describe } from '@gitops-sdk/core'
import type { Command, Run } from '../command.ts'
import type { ExitCode } from '../io.ts'
import { answerOf } from './outcome.ts'

/** Consents to exactly one plan, which is then applied. */
export const approve: Command = {
  name: 'approve',
  summary: 'consent to the plan with exactly this fingerprint, and apply it',
  operands: '<application> <fingerprint>',
  options: { note: { type: 'string', value: 'text', summary: 'a remark for the audit log' } },
  readOnly: false,
  run: approveAndApply,
}

async function approveAndApply({ reconciler, applications, operand = '', values, io, print }: Run): Promise<ExitCode> {
  const [name = ''] = applications
  const plan = await reconciler.plan(name)
  if (plan.fingerprint !== operand) {
    print.text(describe(plan, { colour: print.colour }))
    const message = `The plan of ${name} is now ${plan.fingerprint}. Look at it and approve that one.`
    throw new GitOpsError('APPROVAL_MISMATCH', message, { details: { pending: plan.fingerprint } })
  }
  const note = values['note']
  let isApplied = false
  const stop = reconciler.on('applied', ({ application }) => {
    isApplied ||= application === name
  })
  await reconciler.approve(name, { fingerprint: operand, by: io.user, ...(typeof note === 'string' && { note }) })
  const result = await reconciler.reconcile(name)
  stop()
  // The approval starts a run of its own. After that there is nothing left to do, which is not what was asked about.
  const isOurs = isApplied && result.outcome === 'unchanged'
  const answer = answerOf(isOurs ? { ...result, outcome: 'applied', plan } : result, print)
  print.value(answer.value)
  return answer.code
}
