import { originText } from '../desired/build.ts'
import { label } from '../desired/ref.ts'
import {
  causeText,
  countsText,
  driftText,
  fieldNote,
  incompleteText,
  plainText,
  revisionText,
  valueText,
} from './describe-parts.ts'
import type { Change, FieldChange, Plan } from './plan.ts'
import { stepsOf, stepText } from './steps.ts'

/** A plan as Markdown, for a review on a forge. */
export function describeMarkdown(plan: Plan, maxFields: number): string {
  const steps = stepsOf(plan)
  const blocks = [
    `### ${prose(plan.application)} at ${prose(revisionText(plan.revision))}`,
    `**${countsText(plan)}**`,
    incompleteText(plan) ?? [],
    ...steps.map((step) => [
      ...(steps.length > 1 ? [`#### ${stepText(step[0]!.step)}`] : []),
      ...step.map((change) => changeBlock(change, maxFields)),
    ]),
    list('Drift', plan.drift.map(driftText)),
    list(
      'Ignored',
      plan.ignored.map(({ ref, path, rule }) => `${label(ref)} ${path} (${rule})`),
    ),
    list(
      'Blocked',
      plan.blocked.map(({ message, rule }) => `${message} (${rule})`),
    ),
    list('Remarks', plan.warnings),
  ]
  return `${blocks.flat().join('\n\n')}\n`
}

function changeBlock({ action, ref, origin, cause, reason, fields }: Change, maxFields: number): string {
  const place = origin === undefined ? '' : ` · ${code(originText(origin))}`
  const title = `- **${action}** ${code(label(ref))}${place} · ${prose(reason ?? causeText(cause))}`
  if (fields.length === 0) return title
  const lines = fields.slice(0, maxFields).flatMap(fieldLines)
  const more = fields.length > maxFields ? [`  and ${fields.length - maxFields} more fields`] : []
  return [title, '', '  ```diff', ...[...lines, ...more].map((line) => `  ${line}`), '  ```'].join('\n')
}

function fieldLines(field: FieldChange): string[] {
  const { path, op, before, after, unknown } = field
  const note = fieldNote(field)
  const next = unknown ? '(known after apply)' : valueText(after)
  const removed = op === 'add' ? [] : [`- ${plainText(path)}: ${valueText(before)}`]
  const added = op === 'remove' ? [] : [`+ ${plainText(path)}: ${next}`]
  const lines = [...removed, ...added]
  return note === '' ? lines : lines.map((line, index) => (index === lines.length - 1 ? `${line}  ${note}` : line))
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`#### ${title}`, lines.map((line) => `- ${prose(line)}`).join('\n')]
}

/** Text that Markdown shows as it is. */
function prose(text: string): string {
  return plainText(text).replace(/[\\`*_{}[\]<>()#|!&~@]/g, '\\$&')
}

/** Text in a code span, also when it holds backticks. */
function code(text: string): string {
  const shown = plainText(text)
  const fence = '`'.repeat(Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length)) + 1)
  return fence === '`' ? `\`${shown}\`` : `${fence} ${shown} ${fence}`
}
