import type { Json, JsonObject } from '@gitops-sdk/core'

/** Two values to compare: what people declare, and what became of it. */
export interface Shape {
  readonly name: string
  readonly before: JsonObject
  readonly after: JsonObject
}

const deployment = changed({}, () => {})

/** Objects as they are in real repositories: a deployment of three containers, a flat configuration. */
export const shapes: readonly Shape[] = [
  { name: 'deployment, equal', before: deployment, after: copy(deployment) },
  { name: 'deployment, one field', before: deployment, after: changed({ replicas: 5 }, () => {}) },
  { name: 'deployment, three images', before: deployment, after: changed({ tag: '2' }, () => {}) },
  {
    name: 'deployment, first variable removed',
    before: deployment,
    after: changed({}, (variables) => variables.shift()),
  },
  {
    name: 'configuration of 500 keys, three changed',
    before: configuration({}),
    after: configuration({ k3: 'x', k77: 'y', k400: 'z' }),
  },
]

function changed({ replicas = 3, tag = '1' }, edit: (variables: Json[]) => void): JsonObject {
  const containers = ['web', 'proxy', 'logs'].map((name) => container(name, tag))
  edit(containers[0]!.env)
  return copy({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      labels: { app: 'web', tier: 'front' },
      annotations: { note: 'x'.repeat(80) },
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      template: { metadata: { labels: { app: 'web' } }, spec: { serviceAccountName: 'web', containers } },
    },
  })
}

function container(name: string, tag: string): { readonly name: string; readonly env: Json[] } & Record<string, Json> {
  return {
    name,
    image: `registry.example/${name}:${tag}`,
    ports: [{ containerPort: 80, name: 'http', protocol: 'TCP' }],
    env: Array.from({ length: 12 }, (_, index) => ({ name: `V${index}`, value: `value ${index}` })),
    resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m', memory: '128Mi' } },
    livenessProbe: { httpGet: { path: '/', port: 80, scheme: 'HTTP' }, periodSeconds: 10 },
  }
}

function configuration(differences: JsonObject): JsonObject {
  const entries = Array.from({ length: 500 }, (_, index) => [`k${index}`, `value ${index}`])
  return copy({ ...Object.fromEntries(entries), ...differences })
}

/** Strings are new in the copy, as they are when two answers are parsed. */
function copy<T extends JsonObject>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}
