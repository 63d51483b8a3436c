import { expect, test } from 'vitest'
import { rollUpHealth } from './health-roll-up.ts'
import type { HealthStatus } from './health.ts'

const of = (...statuses: HealthStatus[]) =>
  rollUpHealth(
    statuses.map((status, index) => ({ ref: { kind: 'queue', name: `q${index}` }, status, message: 'because.' })),
  )

test.each<[string, HealthStatus[], HealthStatus, string]>([
  ['nothing is healthy', [], 'healthy', 'Nothing to wait for.'],
  ['all healthy', ['healthy', 'healthy'], 'healthy', 'All 2 resources are healthy.'],
  ['somebody has to act', ['healthy', 'suspended'], 'suspended', 'queue q1 is suspended: because.'],
  [
    'still moving is worse than waiting for somebody',
    ['suspended', 'progressing'],
    'progressing',
    'queue q1 is progressing: because.',
  ],
  ['absent is worse than moving', ['progressing', 'missing'], 'missing', 'queue q1 is missing: because.'],
  ['broken is worse than absent', ['degraded', 'missing'], 'degraded', 'queue q0 is degraded: because.'],
  [
    'unread is worse than broken: it hides anything',
    ['degraded', 'unknown'],
    'unknown',
    'queue q1 is unknown: because.',
  ],
  [
    'the others are counted',
    ['degraded', 'healthy', 'degraded'],
    'degraded',
    'queue q0 is degraded: because. (and 1 more degraded)',
  ],
])('%s', (_, statuses, status, message) => {
  expect(of(...statuses)).toMatchObject({ status, message })
})
