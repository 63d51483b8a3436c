import type { Change, Drift, FieldChange, IgnoreRule } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { sift } from './sift.ts'

const field = (path: string, more: Partial<FieldChange> = {}): FieldChange => ({ path, op: 'replace', ...more })
const ref = (name: string): Change['ref'] => ({ kind: 'fake_record', name })
const change = (name: string, fields: readonly FieldChange[], more: Partial<Change> = {}): Change => ({
  ref: ref(name),
  action: 'update',
  cause: 'drift',
  fields,
  step: { phase: 'Sync', wave: 0 },
  ...more,
})
const drift = (name: string, ...paths: string[]): Drift => ({
  ref: ref(name),
  kind: 'modified',
  fields: paths.map((path) => field(path)),
  healed: true,
})
const rules: readonly IgnoreRule[] = [{ name: 'scaled elsewhere', kind: 'fake_record', paths: ['/value'] }]
const etag = field('/etag', { unknown: true })

interface Row {
  readonly why: string
  readonly changes: readonly Change[]
  readonly left: number
  readonly ignored: number
  readonly blocked: readonly string[]
}

const rows: readonly Row[] = [
  { why: 'nothing is ignored', changes: [change('a', [field('/tags')])], left: 1, ignored: 0, blocked: [] },
  {
    why: 'all of an update is ignored',
    changes: [change('a', [field('/value'), etag])],
    left: 0,
    ignored: 1,
    blocked: [],
  },
  {
    why: 'what follows from an ignored update alone is not made either',
    changes: [change('a', [field('/value')]), change('b', [etag], { cause: 'dependency' })],
    left: 0,
    ignored: 1,
    blocked: [],
  },
  {
    why: 'an ignored field beside another one would be undone with it',
    changes: [change('a', [field('/value'), field('/tags')])],
    left: 0,
    ignored: 1,
    blocked: ['ignored-difference'],
  },
  {
    why: 'an ignored update beside a creation would be made with it',
    changes: [change('a', [field('/value')]), change('b', [field('/value')], { action: 'create', cause: 'revision' })],
    left: 0,
    ignored: 1,
    blocked: ['ignored-difference'],
  },
  {
    why: 'a replacement is never a difference to be ignored',
    changes: [change('a', [field('/value')], { action: 'replace' })],
    left: 1,
    ignored: 0,
    blocked: [],
  },
]

test.each(rows)('$why', ({ changes, left, ignored, blocked }) => {
  const sifted = sift({ changes, drift: [] }, rules)
  expect(sifted.changes).toHaveLength(left)
  expect(sifted.ignored).toHaveLength(ignored)
  expect(sifted.blocked.map(({ rule }) => rule)).toEqual(blocked)
})

test('ignored fields of a drift are told with their rule, and a drift of nothing else is none', () => {
  const sifted = sift({ changes: [], drift: [drift('a', '/value'), drift('b', '/value', '/tags')] }, rules)
  expect(sifted.drift.map((each) => each.fields.map(({ path }) => path))).toEqual([['/tags']])
  expect(sifted.ignored).toEqual([
    { ref: ref('a'), path: '/value', rule: 'scaled elsewhere' },
    { ref: ref('b'), path: '/value', rule: 'scaled elsewhere' },
  ])
})

test('the reason names the field, the rule, and what to declare', () => {
  const { blocked } = sift({ changes: [change('a', [field('/value'), field('/tags')])], drift: [] }, rules)
  expect(blocked[0]?.message).toContain('ignore_changes = [value]')
  expect(blocked[0]?.message).toContain('scaled elsewhere')
})
