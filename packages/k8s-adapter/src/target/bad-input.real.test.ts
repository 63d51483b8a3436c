import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createCall, createReconciler, type JsonObject, memoryLedger, memorySource } from '@gitops-sdk/core'
import { afterAll, expect, test } from 'vitest'
import { selfSigned } from '../../test/certificate.ts'
import { type Plane, stagePlane } from '../../test/plane.ts'
import { startControlPlane } from '../testing/control-plane.ts'
import { kubernetesTarget } from './target.ts'

const start = (): Promise<Plane> => startControlPlane({ users: [{ name: 'limited' }] })
const { admin, connection, freshNamespace, make, edit, read, remove } = stagePlane(start)
const call = createCall()
let hook: Server | undefined
afterAll(() => hook?.close())

const meta = (name: string, more = ''): string => `metadata: {name: ${name}${more}}`
const map = (name: string, data = '{}', more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\n${meta(name, more)}\ndata: ${data}\n`
const deployment = (label: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\n${meta('web')}\nspec: {replicas: 0, selector: {matchLabels: {app: ${label}}}, template: {metadata: {labels: {app: ${label}}}, spec: {containers: [{name: web, image: web}]}}}\n`

interface Case {
  readonly why: string
  /** What is declared beside an ordinary object that must be applied all the same. */
  readonly bad: string
  readonly code: string
  readonly says: RegExp
  /** What was declared and applied before. */
  readonly before?: string
  /** Prepares the namespace. */
  readonly given?: (namespace: string) => Promise<unknown>
  /** Nothing of the step is written, because it is known before that it cannot succeed. */
  readonly stops?: boolean
}

const cases: readonly Case[] = [
  {
    why: 'a field nobody knows',
    bad: map('bad') + 'dataa: {a: b}\n',
    code: 'TARGET_REFUSED',
    says: /field not declared in schema/,
  },
  { why: 'a value of the wrong type', bad: map('bad', '{a: [1]}'), code: 'TARGET_REFUSED', says: /expected string/ },
  {
    why: 'two items with the same key',
    bad: `apiVersion: v1\nkind: Service\n${meta('bad')}\nspec: {ports: [{port: 80}, {port: 80}]}\n`,
    code: 'TARGET_REFUSED',
    says: /duplicate entries/,
  },
  {
    why: 'a value the server refuses',
    bad: `apiVersion: v1\nkind: Service\n${meta('bad')}\nspec: {ports: [{port: 99999}]}\n`,
    code: 'TARGET_REFUSED',
    says: /spec\.ports/,
  },
  {
    why: 'an apiVersion that is not served',
    bad: `apiVersion: apps/v9\nkind: Deployment\n${meta('bad')}\nspec: {}\n`,
    code: 'TARGET_REFUSED',
    says: /does not know the kind Deployment/,
  },
  {
    why: 'a kind that nobody defined',
    bad: `apiVersion: nowhere.example.org/v1\nkind: Widget\n${meta('bad')}\n`,
    code: 'TARGET_REFUSED',
    says: /CustomResourceDefinition/,
  },
  {
    why: 'a namespace that is not there',
    bad: map('bad', '{}', ', namespace: nowhere'),
    code: 'TARGET_REFUSED',
    says: /nowhere/,
  },
  {
    why: 'an object of more than a mebibyte',
    bad: map('bad', `{a: ${'x'.repeat(1_100_000)}}`),
    code: 'TARGET_REFUSED',
    says: /Too long|must have at most|too large/i,
  },
  {
    why: 'a request of more than three mebibytes',
    bad: map('bad', `{a: ${'x'.repeat(3_400_000)}}`),
    code: 'TARGET_REFUSED',
    says: /413/,
  },
  {
    why: 'a quota that is used up',
    bad: map('zbad'),
    given: usedUpQuota,
    code: 'TARGET_FORBIDDEN',
    says: /exceeded quota/,
  },
  {
    why: 'a field that cannot be changed',
    before: deployment('one'),
    bad: deployment('two'),
    code: 'immutable',
    says: /spec\/selector.*cannot be changed in place/,
    stops: true,
  },
  {
    why: 'a Secret the server refuses, without its value',
    bad: `apiVersion: v1\nkind: Secret\n${meta('bad')}\ntype: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: hunter2}\n`,
    code: 'TARGET_REFUSED',
    says: /^(?!.*hunter2).*$/,
  },
  {
    why: 'a policy that denies',
    bad: map('bad', '{}', ', labels: {denied: "yes"}'),
    given: denyPolicy,
    code: 'TARGET_REFUSED',
    says: /denied by the test/,
  },
  {
    why: 'a webhook that denies',
    bad: map('bad', '{}', ', labels: {asked: "yes"}'),
    given: denyingWebhook,
    code: 'TARGET_FORBIDDEN',
    says: /denied the request: not on a Friday/,
  },
  {
    why: 'a webhook that is down',
    bad: map('bad', '{}', ', labels: {hooked: "yes"}'),
    given: brokenWebhook,
    code: 'APPLY_FAILED',
    says: /failed calling webhook/,
  },
  {
    why: 'a namespace that is being deleted',
    bad: map('bad', '{}', ', namespace: dying'),
    given: dyingNamespace,
    code: 'TARGET_LOCKED',
    says: /terminated/,
  },
]

async function usedUpQuota(namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/resourcequotas`
  const hard = { 'count/services': '0' }
  await make(path, { metadata: { name: 'none' }, spec: { hard } })
  // What a controller would write: no other than the garbage collector runs here.
  await edit(`${path}/none/status`, { status: { hard, used: { 'count/services': '0' } } })
  await new Promise((resolve) => setTimeout(resolve, 500))
}

async function denyPolicy(): Promise<void> {
  const root = '/apis/admissionregistration.k8s.io/v1'
  const constraints = {
    resourceRules: [
      { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE', 'UPDATE'] },
    ],
  }
  const validations = [
    {
      expression: "!has(object.metadata.labels) || !('denied' in object.metadata.labels)",
      message: 'denied by the test',
    },
  ]
  await make(`${root}/validatingadmissionpolicies`, {
    metadata: { name: 'deny' },
    spec: { failurePolicy: 'Fail', matchConstraints: constraints, validations },
  })
  await make(`${root}/validatingadmissionpolicybindings`, {
    metadata: { name: 'deny' },
    spec: { policyName: 'deny', validationActions: ['Deny'] },
  })
  await inForce('denied')
}

/** A policy and a webhook come into force some time after they were accepted: what has the label is refused then. */
async function inForce(label: string): Promise<void> {
  const body = { metadata: { generateName: 'probe-', labels: { [label]: 'yes' } } }
  const path = '/api/v1/namespaces/default/configmaps'
  for (let tries = 0; tries < 100; tries++) {
    const dryRun = admin.send({ method: 'POST', path, query: { dryRun: 'All' }, body }, call)
    if ((await dryRun.catch(() => undefined)) === undefined) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function brokenWebhook(): Promise<void> {
  return webhook('down', 'hooked', { url: 'https://127.0.0.1:1/hook' })
}

/** A server of our own that refuses whatever it is asked about. */
async function denyingWebhook(): Promise<void> {
  const { cert, key } = selfSigned()
  hook = createServer({ cert, key }, (request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
    request.on('end', () => {
      const { uid } = (JSON.parse(text) as { readonly request: { readonly uid: string } }).request
      const answer = { uid, allowed: false, status: { code: 403, message: 'not on a Friday' } }
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }))
    })
  }).listen(0, '127.0.0.1')
  await once(hook, 'listening')
  const { port } = hook.address() as AddressInfo
  await webhook('denying', 'asked', { url: `https://127.0.0.1:${port}/`, caBundle: btoa(cert) })
}

async function webhook(name: string, label: string, clientConfig: JsonObject): Promise<void> {
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }]
  const webhooks = [
    {
      name: `${name}.example.org`,
      clientConfig,
      rules,
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      objectSelector: { matchLabels: { [label]: 'yes' } },
      timeoutSeconds: 5,
    },
  ]
  await make('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', { metadata: { name }, webhooks })
  await inForce(label)
}

async function dyingNamespace(): Promise<void> {
  await make('/api/v1/namespaces', { metadata: { name: 'dying' } })
  await make('/api/v1/namespaces/dying/configmaps', { metadata: { name: 'held', finalizers: ['example.org/held'] } })
  await remove('/api/v1/namespaces/dying')
}

test.each(cases)('$why', async ({ bad, before, given, code, says, stops }) => {
  const namespace = await freshNamespace()
  await given?.(namespace)
  const secret =
    code === 'TARGET_FORBIDDEN'
      ? `---\napiVersion: v1\nkind: Service\n${meta('over')}\nspec: {ports: [{port: 80}]}\n`
      : ''
  const source = memorySource({ files: { 'bad.yaml': before ?? map('first') } })
  const target = kubernetesTarget({
    connection: connection(),
    owner: 'test',
    namespaces: { default: namespace },
    settleMs: 1000,
  })
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy: { mode: 'automatic', prune: true } }],
  })
  await reconciler.reconcile('app')
  const failures: string[] = []
  reconciler.on('failed', ({ error }) => void failures.push(JSON.stringify(error)))
  reconciler.on('applied', (event) => void failures.push(JSON.stringify(event)))
  source.commit({ 'bad.yaml': bad + secret, 'good.yaml': map('good') })
  const result = await reconciler.reconcile('app')
  const text = failures.join('\n') + JSON.stringify(result)
  expect(text).toContain(code)
  expect(text).toMatch(new RegExp(says.source, `${says.flags}s`))
  const good = await read(`/api/v1/namespaces/${namespace}/configmaps/good`)
  if (stops !== true) expect(good).toBeDefined()
})

test('an identity without a right is refused by name, and one with a wrong token as such', async () => {
  const forbidden = kubernetesTarget({
    connection: connection('limited'),
    owner: 'test',
    namespaces: { default: 'default' },
  })
  const source = memorySource({ files: { 'a.yaml': map('one') } })
  const unauthorised = kubernetesTarget({
    connection: { ...connection(), token: async () => 'wrong' },
    owner: 'test',
  })
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [
      { name: 'forbidden', source, target: forbidden, policy: { mode: 'automatic' } },
      { name: 'unauthorised', source, target: unauthorised, policy: { mode: 'automatic' } },
    ],
  })
  expect(await reconciler.plan('forbidden')).toMatchObject({
    complete: false,
    blocked: [{ rule: 'unreadable', error: { code: 'TARGET_FORBIDDEN' } }],
  })
  const refused = await reconciler.plan('unauthorised').catch((error: unknown) => error)
  expect(JSON.stringify(refused)).toContain('TARGET_AUTH')
})
