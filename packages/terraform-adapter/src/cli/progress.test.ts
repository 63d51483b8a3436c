import type { Progress } from '@gitops-sdk/core'
import { testCall } from '@gitops-sdk/core/testing'
import { expect, test } from 'vitest'
import { progressOf } from './progress.ts'

const hook = (type: string, more: object = {}): string =>
  JSON.stringify({ '@level': 'info', type, hook: { resource: { addr: 'x.a' }, action: 'create', ...more } })

function told(lines: readonly string[], total?: number): readonly Progress[] {
  const progress: Progress[] = []
  const { onLine, end } = progressOf('applying', testCall({ progress: (each) => void progress.push(each) }), total)
  for (const line of lines) onLine(line)
  end()
  return progress
}

test('a wait for the lock, each resource, and how long it takes are told as they come', () => {
  const lines = [
    '{"@level":"info","type":"state_lock_acquire"}',
    hook('apply_start'),
    hook('apply_progress', { elapsed_seconds: 10 }),
  ]
  expect(told(lines, 2).map(({ activity }) => activity)).toEqual([
    'waiting for the lock of the state',
    'create x.a',
    'create x.a, for 10 s',
  ])
})

test('the share that is done ends with all of it, however fast it went', () => {
  const shares = told([hook('apply_complete'), hook('apply_complete'), hook('apply_complete')], 3)
  expect(shares.map(({ done, total, unit }) => [done, total, unit])).toEqual([
    [1, 3, 'resources'],
    [3, 3, 'resources'],
  ])
})

test('what lasts is told again, until something else is or the command ends', async () => {
  const activities: string[] = []
  const call = testCall({ progress: ({ activity }) => void activities.push(activity) })
  const { onLine, end } = progressOf('applying', call)
  onLine('{"@level":"info","type":"state_lock_acquire"}')
  await call.clock.advance(2_500)
  onLine(hook('apply_start'))
  end()
  await call.clock.advance(5_000)
  expect(activities).toEqual([...Array<string>(3).fill('waiting for the lock of the state'), 'create x.a'])
})

test('what is no message tells nothing', () => {
  expect(told(['Enter a value:', '{"@level"', hook('planned_change')])).toEqual([])
})
