import { type Json, createSeal } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import type { ChangeJson, ResourceChangeJson } from '../observe/plan-json.ts'
import { verdictOf } from './verdict.ts'

const seal = createSeal(new Uint8Array(32).fill(7))

function record(actions: string[], before: Json, after: Json, more: Partial<ChangeJson> = {}): ResourceChangeJson {
  return { address: 'fake_record.a', mode: 'managed', type: 'fake_record', change: { actions, before, after, ...more } }
}

const made = { tags: { env: 'prod' }, value: '1' }
const edited = { tags: { env: 'by hand' }, value: '1' }

test('nothing to do is nothing to do', () => {
  const verdict = verdictOf({ resource_changes: [record(['no-op'], made, made)] }, seal)
  expect(verdict).toEqual({ effect: 'none', complete: true, changes: [], drift: [] })
})

test('a new output is no change and no drift', () => {
  const verdict = verdictOf({ output_changes: { address: { actions: ['create'] } } }, seal)
  expect(verdict).toMatchObject({ effect: 'outputs-only', changes: [], drift: [] })
})

test('an edit by hand is drift that the plan heals', () => {
  const plan = {
    resource_drift: [record(['update'], made, edited)],
    resource_changes: [record(['update'], edited, made)],
  }
  expect(verdictOf(plan, seal)).toMatchObject({
    changes: [{ cause: 'drift', fields: [{ path: '/tags/env', before: 'by hand', after: 'prod', cause: 'drift' }] }],
    drift: [{ kind: 'modified', healed: true }],
  })
})

test('one resource can have both causes, each on its own field', () => {
  const plan = {
    resource_drift: [record(['update'], made, edited)],
    resource_changes: [record(['update'], edited, { ...made, value: '2' })],
  }
  const [change] = verdictOf(plan, seal).changes
  expect(change?.cause).toBe('both')
  expect(change?.fields.map(({ path, cause }) => [path, cause])).toEqual([
    ['/tags/env', 'drift'],
    ['/value', 'revision'],
  ])
})

test('an attribute that moves by itself is drift nobody has to heal', () => {
  const plan = {
    resource_drift: [record(['update'], { etag: '1' }, { etag: '2' })],
    resource_changes: [record(['no-op'], { etag: '2' }, { etag: '2' })],
  }
  expect(verdictOf(plan, seal)).toMatchObject({ effect: 'none', changes: [], drift: [{ healed: false }] })
})

test('what was deleted by hand is missing, and made again because of drift', () => {
  const plan = { resource_drift: [record(['delete'], made, null)], resource_changes: [record(['create'], null, made)] }
  expect(verdictOf(plan, seal)).toMatchObject({
    changes: [{ action: 'create', cause: 'drift' }],
    drift: [{ kind: 'missing', healed: true }],
  })
})

test('a selection is never complete, and a plan that failed is none', () => {
  expect(verdictOf({ complete: false }, seal).complete).toBe(false)
  expect(() => verdictOf({ errored: true }, seal)).toThrow('Planning failed')
})

test('a secret is in no field, and an unknown value hides what was there', () => {
  const after = { secret: 'opensesame' }
  const masks = { after_unknown: { etag: true }, after_sensitive: { secret: true } }
  const { changes } = verdictOf({ resource_changes: [record(['update'], { etag: 'x' }, after, masks)] }, seal)
  expect(JSON.stringify(changes)).not.toContain('opensesame')
  expect(changes[0]?.fields).toMatchObject([
    { path: '/etag', unknown: true },
    { path: '/secret', sensitive: true },
  ])
})

test('import, move and removal without deletion are shown as what they are', () => {
  const actions = [
    record(['no-op'], made, made, { importing: { id: '7' } }),
    { ...record(['no-op'], made, made), previous_address: 'module.old["x"].fake_record.b' },
    record(['forget'], made, null),
  ]
  const { changes } = verdictOf({ resource_changes: actions }, seal)
  expect(changes.map(({ action }) => action)).toEqual(['adopt', 'move', 'forget'])
  expect(changes[1]?.from).toEqual({ kind: 'fake_record', namespace: 'module.old["x"]', name: 'b' })
})
