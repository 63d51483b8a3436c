import type { Json, JsonObject } from '@gitops-sdk/core'
import type { Question } from './ask.ts'

// What the stories are about, and where: `{ns}` is the namespace of a story.

export const maps: string = '/api/v1/namespaces/{ns}/configmaps'
export const secrets: string = '/api/v1/namespaces/{ns}/secrets'
export const services: string = '/api/v1/namespaces/{ns}/services'
export const deployments: string = '/apis/apps/v1/namespaces/{ns}/deployments'
export const statefulSets: string = '/apis/apps/v1/namespaces/{ns}/statefulsets'
export const claims: string = '/api/v1/namespaces/{ns}/persistentvolumeclaims'
export const bindings: string = '/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings'
export const widgets: string = '/apis/{ns}.example.org/v1/namespaces/{ns}/widgets'

export const map = (name: string, data: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
})

export const apply = (manager: string, path: string, body: Json, more = ''): Question => ({
  ask: `APPLY ${path}?fieldManager=${manager}${more}`,
  body,
})

export const deployment = (spec: JsonObject, container: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'web:1', ...container }] },
    },
    ...spec,
  },
})

export const definition = (plural: string, schema: JsonObject): JsonObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.{ns}.example.org` },
  spec: {
    group: '{ns}.example.org',
    scope: 'Namespaced',
    names: { plural, kind: 'Widget' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } },
    ],
  },
})

export const statefulSet = (serviceName: string): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db' },
  spec: {
    replicas: 0,
    serviceName,
    selector: { matchLabels: { app: 'db' } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'db' }] } },
  },
})

export const claim = (mode: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'disk' },
  spec: { accessModes: [mode], resources: { requests: { storage: '1Gi' } } },
})

export const binding = (role: string): JsonObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'ours' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
  subjects: [{ kind: 'User', name: 'ada', apiGroup: 'rbac.authorization.k8s.io' }],
})

export const widget = (spec: JsonObject, more: JsonObject = {}): JsonObject => ({
  apiVersion: '{ns}.example.org/v1',
  kind: 'Widget',
  metadata: { name: 'one' },
  spec,
  ...more,
})

export const widgetSchema: JsonObject = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer', default: 1 },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        parts: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, count: { type: 'integer' } },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  },
}
