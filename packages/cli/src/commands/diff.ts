import { type Change, type FieldValue, type Plan, label, originText } from '@gitops-sdk/core'
import type { Command, Run } from '../command.ts'
import type { ExitCode } from '../io.ts'
import type { Print } from '../print.ts'
import { forEach } from './for-each.ts'
import { codeOf } from './plan.ts'

/** Shows the difference alone, field by field, as lines that went and lines that came. */
export const diff: Command = {
  name: 'diff',
  summary: 'how the actual state differs from the declared one, field by field',
  operands: '[application …]',
  options: {},
  readOnly: true,
  run: (run) => forEach(run, (name) => showDiff(run, name)),
}

async function showDiff({ reconciler, print }: Run, name: string): Promise<{ code: ExitCode; value: unknown }> {
  const plan = await reconciler.plan(name)
  for (const change of plan.changes) print.text(changeText(plan, change, print))
  return { code: codeOf(plan), value: { application: name, changes: plan.changes, drift: plan.drift } }
}

function changeText({ application }: Plan, { ref, action, cause, origin, fields }: Change, print: Print): string {
  const place = origin === undefined ? '' : `  ${originText(origin)}`
  const head = print.bold(`@@ ${application} ${label(ref)}: ${action} (${cause})${place}`)
  const lines = fields.flatMap(({ path, op, before, after, unknown }) => [
    ...(op === 'add' ? [] : [print.mark(`- ${path || '/'}: ${valueText(before)}`, 'failed')]),
    ...(op === 'remove'
      ? []
      : [print.mark(`+ ${path || '/'}: ${unknown === true ? '(known after apply)' : valueText(after)}`, 'well')]),
  ])
  return [head, ...lines].join('\n')
}

function valueText(value: FieldValue | undefined): string {
  if (typeof value === 'object' && value !== null && 'redacted' in value) return '(secret)'
  return JSON.stringify(value) ?? ''
}
