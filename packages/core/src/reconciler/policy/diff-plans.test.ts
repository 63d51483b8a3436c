import { expect, test } from 'vitest'
import type { Change } from '../../plan/plan.ts'
import { changeOf, planWith } from '../../testing/plans.ts'
import { diffPlans } from './diff-plans.ts'

const differ = (before: readonly Change[], after: readonly Change[]) =>
  diffPlans(planWith({ changes: before }), planWith({ changes: after }))
const planned = (name: string, action: Change['action'] = 'update') => ({ ref: { kind: 'flag', name }, action })

test('nothing changed since', () => {
  expect(differ([changeOf('a')], [changeOf('a')])).toEqual({ added: [], removed: [], altered: [] })
})

test('a change came, one went, one has other values', () => {
  const field = { path: '/on', op: 'replace', before: false, after: true } as const
  const difference = differ(
    [changeOf('a'), changeOf('b', { fields: [field] })],
    [changeOf('b', { fields: [{ ...field, before: null }] }), changeOf('c')],
  )
  expect(difference).toEqual({ added: [planned('c')], removed: [planned('a')], altered: [planned('b')] })
})

test('an update that became a deletion is another change', () => {
  const difference = differ([changeOf('a')], [changeOf('a', { action: 'delete' })])
  expect(difference).toEqual({ added: [planned('a', 'delete')], removed: [planned('a')], altered: [] })
})

test('cause, actor and version do not count: they do not change what is done', () => {
  const difference = differ([changeOf('a', { version: '1' })], [changeOf('a', { version: '2', cause: 'both' })])
  expect(difference.altered).toEqual([])
})

test('a resource with another identity is another change', () => {
  expect(differ([changeOf('a', { uid: '1' })], [changeOf('a', { uid: '2' })]).altered).toEqual([planned('a')])
})

test('another revision is named', () => {
  const difference = diffPlans(planWith(), planWith({ revision: { id: 'c3' } }))
  expect(difference.revision).toEqual({ before: { id: 'b2' }, after: { id: 'c3' } })
})
