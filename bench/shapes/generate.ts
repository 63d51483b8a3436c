import { type JsonObject, type Random, seededRandom } from '@gitops-sdk/core'

/** One declared object with a name of its own. */
export interface Generated {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly body: JsonObject
}

/**
 * Objects as they are in the repositories of platforms: of ten, four deployments, three services, two
 * configurations and an ingress. The same seed gives the same objects, so that two runs compare the same work.
 */
export function* kubernetesObjects(amount: number, seed = 1): Generator<Generated> {
  const random = seededRandom(seed)
  for (let index = 0; index < amount; index++) {
    const namespace = `team-${index % 50}`
    const make = [deployment, service, deployment, configuration, service, deployment, ingress][index % 7] ?? deployment
    const name = `app-${index}`
    const body = make(name, random)
    const kind = typeof body['kind'] === 'string' ? body['kind'] : ''
    yield { kind, namespace, name, body: { ...body, metadata: metadata(name, namespace) } }
  }
}

/** Resource instances as a state of Terraform lists them: networks, machines, records and rules. */
export function* terraformInstances(amount: number, seed = 1): Generator<Generated> {
  const random = seededRandom(seed)
  for (let index = 0; index < amount; index++) {
    const [kind, make] = terraformKinds[index % terraformKinds.length] ?? terraformKinds[0]
    const name = `item_${index}`
    yield { kind, namespace: `module.team_${index % 20}`, name, body: make(name, random) }
  }
}

function metadata(name: string, namespace: string): JsonObject {
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': namespace, tier: 'web' }
  return { name, namespace, labels, annotations: { 'example.com/owner': `${namespace}@example.com` } }
}

function deployment(name: string, random: Random): JsonObject {
  const labels = { app: name }
  const containers = Array.from({ length: 1 + whole(random, 3) }, (_, index) => container(`${name}-${index}`, random))
  const spec = { replicas: 1 + whole(random, 5), selector: { matchLabels: labels }, revisionHistoryLimit: 5 }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: { ...spec, template: { metadata: { labels }, spec: { serviceAccountName: name, containers } } },
  }
}

function container(name: string, random: Random): JsonObject {
  return {
    name,
    image: `registry.example/${name}:1.${whole(random, 40)}.${whole(random, 10)}`,
    ports: [{ containerPort: 8080, name: 'http', protocol: 'TCP' }],
    env: Array.from({ length: 4 + whole(random, 12) }, (_, at) => ({ name: `VAR_${at}`, value: word(random) })),
    resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m', memory: '128Mi' } },
    readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 10 },
  }
}

function service(name: string): JsonObject {
  const ports = [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }]
  return { apiVersion: 'v1', kind: 'Service', spec: { type: 'ClusterIP', selector: { app: name }, ports } }
}

function configuration(_name: string, random: Random): JsonObject {
  const data = Array.from({ length: 5 + whole(random, 30) }, (_, at) => [`setting.${at}`, word(random)])
  return { apiVersion: 'v1', kind: 'ConfigMap', data: Object.fromEntries(data) }
}

function ingress(name: string): JsonObject {
  const backend = { service: { name, port: { name: 'http' } } }
  const http = { paths: [{ path: '/', pathType: 'Prefix', backend }] }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    spec: { rules: [{ host: `${name}.example.com`, http }] },
  }
}

const terraformKinds: readonly [
  readonly [string, (name: string, random: Random) => JsonObject],
  ...(readonly (readonly [string, (name: string, random: Random) => JsonObject])[]),
] = [
  ['cloud_network', (name, random) => ({ name, cidr: `10.${whole(random, 255)}.0.0/16`, tags: tags(name) })],
  ['cloud_machine', machine],
  ['cloud_record', (name, random) => ({ zone: 'example.com', name, type: 'A', ttl: 300, values: [word(random)] })],
  [
    'cloud_rule',
    (name, random) => ({ name, from_port: whole(random, 60_000), protocol: 'tcp', cidrs: ['10.0.0.0/8'] }),
  ],
]

function machine(name: string, random: Random): JsonObject {
  const disks = Array.from({ length: 1 + whole(random, 3) }, (_, at) => ({
    device: `sd${at}`,
    size_gb: 20,
    encrypted: true,
  }))
  return { name, size: 'medium', image: word(random), disks, user_data: word(random).repeat(20), tags: tags(name) }
}

function tags(name: string): JsonObject {
  return { Name: name, Environment: 'production', ManagedBy: 'platform' }
}

function whole(random: Random, below: number): number {
  return Math.floor(random.next() * below)
}

function word(random: Random): string {
  return Math.floor(random.next() * 2 ** 48).toString(36)
}
