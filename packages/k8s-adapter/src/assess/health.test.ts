import { expect, test } from 'vitest'
import type { JsonObject } from '@gitops-sdk/core'
import { healthOf } from './health.ts'

const made = (apiVersion: string, kind: string, more: JsonObject = {}): JsonObject => ({ apiVersion, kind, ...more })
const conditions = (...list: readonly (readonly [string, string, string?])[]): JsonObject => ({
  status: { conditions: list.map(([type, status, reason = '']) => ({ type, status, reason, message: '' })) },
})

const rows: readonly (readonly [string, JsonObject, string])[] = [
  [
    'a load balancer without an address',
    made('v1', 'Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' } }),
    'progressing',
  ],
  [
    'a load balancer with one',
    made('v1', 'Service', {
      spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    }),
    'healthy',
  ],
  ['an Ingress without an address', made('networking.k8s.io/v1', 'Ingress'), 'progressing'],
  [
    'an autoscaler that cannot read its metrics',
    made(
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
      conditions(['ScalingActive', 'False', 'FailedGetResourceMetric']),
    ),
    'degraded',
  ],
  [
    'an autoscaler whose target is scaled to zero',
    made('autoscaling/v2', 'HorizontalPodAutoscaler', conditions(['ScalingActive', 'False', 'ScalingDisabled'])),
    'healthy',
  ],
  ['an autoscaler nobody looked at', made('autoscaling/v2', 'HorizontalPodAutoscaler'), 'progressing'],
  [
    'an APIService that is down',
    made('apiregistration.k8s.io/v1', 'APIService', conditions(['Available', 'False'])),
    'progressing',
  ],
  [
    'an APIService that is up',
    made('apiregistration.k8s.io/v1', 'APIService', conditions(['Available', 'True'])),
    'healthy',
  ],
  ['a Pod that failed', made('v1', 'Pod', { status: { phase: 'Failed' } }), 'degraded'],
  [
    'a Pod whose init container crashes',
    made('v1', 'Pod', {
      status: {
        phase: 'Pending',
        initContainerStatuses: [{ name: 'init', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      },
    }),
    'degraded',
  ],
  [
    'a ReplicaSet that cannot make Pods',
    made('apps/v1', 'ReplicaSet', conditions(['ReplicaFailure', 'True'])),
    'degraded',
  ],
  ['a suspended Job', made('batch/v1', 'Job', { spec: { suspend: true } }), 'suspended'],
  ['a suspended CronJob', made('batch/v1', 'CronJob', { spec: { suspend: true } }), 'suspended'],
  ['a paused rollout', made('apps/v1', 'Deployment', { spec: { paused: true }, status: { replicas: 1 } }), 'suspended'],
  [
    'a custom resource that says it failed',
    made('example.org/v1', 'Widget', conditions(['Failed', 'True'])),
    'degraded',
  ],
  [
    'a custom resource that is not synced',
    made('example.org/v1', 'Widget', conditions(['Synced', 'False'])),
    'progressing',
  ],
]

test.each(rows)('the extended rules: %s', (_why, object, status) => {
  expect(healthOf(object, 0, { extended: true }).status).toBe(status)
})

test('the extended rules are off unless asked for', () => {
  expect(healthOf(made('v1', 'Pod', { status: { phase: 'Failed' } }), 0).status).toBe('healthy')
})

test('a check of your own goes first, and one that throws is unknown', () => {
  const widget = made('example.org/v1', 'Widget', { status: { phase: 'Sad' } })
  const checks = {
    'example.org/Widget': (object: JsonObject) =>
      ((object['status'] as JsonObject)['phase'] === 'Sad' ? 'degraded' : undefined) as 'degraded' | undefined,
    ConfigMap: () => {
      throw new Error('no idea')
    },
  }
  expect(healthOf(widget, 0, { checks }).status).toBe('degraded')
  expect(healthOf({ ...widget, status: { phase: 'Happy' } }, 0, { checks }).status).toBe('healthy')
  expect(healthOf(made('v1', 'ConfigMap'), 0, { checks })).toMatchObject({
    status: 'unknown',
    reason: 'HealthCheckThrew',
  })
})
