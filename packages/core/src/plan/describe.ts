import { originText } from '../desired/build.ts'
import { label } from '../desired/ref.ts'
import { describeMarkdown } from './describe-markdown.ts'
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
import type { Action, Change, Drift, FieldChange, Plan } from './plan.ts'
import { stepsOf, stepText } from './steps.ts'

/** How a plan is written out. */
export interface DescribeOptions {
  /** `text` for a terminal or a log, `markdown` for a review. @defaultValue 'text' */
  readonly format?: 'text' | 'markdown'
  /** ANSI colours in text. @defaultValue false */
  readonly colour?: boolean
  /** Fields shown for each resource; the rest is counted. @defaultValue 40 */
  readonly maxFields?: number
}

/**
 * A plan or a drift as a person likes to read it: counts, every resource with its place in the source
 * and its fields before and after, drift with who and since when, what was ignored and what is
 * blocked with the next step. Shows no secret and nothing that a terminal or page would obey.
 */
export function describe(subject: Plan | Drift | readonly Drift[], options: DescribeOptions = {}): string {
  if (!('changes' in subject)) return [subject].flat().map(driftText).join('\n')
  const { maxFields = 40 } = options
  if (options.format === 'markdown') return describeMarkdown(subject, maxFields)
  return describeText(subject, maxFields, options.colour === true ? paint : plain)
}

function describeText(plan: Plan, maxFields: number, colour: Colour): string {
  const title = `${plainText(plan.application)} at ${revisionText(plan.revision)}: ${countsText(plan)}`
  const steps = stepsOf(plan)
  const sections = [
    [colour.bold(title), ...[incompleteText(plan) ?? []].flat()],
    ...steps.map((step) => [
      ...(steps.length > 1 ? [colour.faint(stepText(step[0]!.step))] : []),
      ...step.flatMap((change) => changeLines(change, maxFields, colour)),
    ]),
    section('Drift', plan.drift.map(driftText), colour),
    section(
      'Ignored',
      plan.ignored.map(({ ref, path, rule }) => `${label(ref)} ${path} (${rule})`).map(plainText),
      colour,
    ),
    section('Blocked', plan.blocked.map(({ rule, message }) => `${message} (${rule})`).map(plainText), colour),
    section('Remarks', plan.warnings.map(plainText), colour),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

const signs: Readonly<Record<Action, string>> = {
  create: '+',
  update: '~',
  replace: '±',
  delete: '-',
  adopt: '@',
  move: '>',
  forget: '.',
}

function changeLines(change: Change, maxFields: number, colour: Colour): string[] {
  const { action, ref, origin, cause, reason, fields } = change
  const head = `${signs[action]} ${action} ${plainText(label(ref))}`
  const place = origin === undefined ? '' : `  ${plainText(originText(origin))}`
  const why = reason ?? (cause === 'revision' ? undefined : causeText(cause))
  const shown = fields.slice(0, maxFields).map((field) => fieldLine(field, change, colour))
  const more = fields.length > maxFields ? [`      and ${fields.length - maxFields} more fields`] : []
  const title = `  ${colour.forAction(action, head)}${colour.faint(place)}${why === undefined ? '' : colour.faint(`  (${plainText(why)})`)}`
  return [title, ...shown, ...more]
}

function fieldLine(field: FieldChange, { cause }: Change, colour: Colour): string {
  const note = field.cause === cause && field.actor === undefined ? '' : `  ${colour.faint(fieldNote(field))}`
  return `      ${plainText(field.path)}: ${differenceText(field)}${note.trim() === '' ? '' : note}`
}

function differenceText({ op, before, after, unknown }: FieldChange): string {
  const next = unknown ? '(known after apply)' : valueText(after)
  if (op === 'add') return next
  return op === 'remove' ? `${valueText(before)} → removed` : `${valueText(before)} → ${next}`
}

function section(title: string, lines: readonly string[], colour: Colour): string[] {
  return lines.length === 0 ? [] : [colour.bold(title), ...lines.map((line) => `  ${line}`)]
}

interface Colour {
  readonly bold: (text: string) => string
  readonly faint: (text: string) => string
  readonly forAction: (action: Action, text: string) => string
}

const same = (text: string): string => text
const plain: Colour = { bold: same, faint: same, forAction: (_, text) => text }

const ansi = (code: number) => (text: string) => (text === '' ? '' : `\u001b[${code}m${text}\u001b[0m`)
const codes: Readonly<Record<Action, number>> = {
  create: 32,
  update: 33,
  replace: 35,
  delete: 31,
  adopt: 36,
  move: 36,
  forget: 2,
}
const paint: Colour = { bold: ansi(1), faint: ansi(2), forAction: (action, text) => ansi(codes[action])(text) }
