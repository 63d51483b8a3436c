import { memorySource, outputOf, Secret, type DesiredState, type GitOpsError, type RunCall } from '@gitops-sdk/core'
import { testCall } from '@gitops-sdk/core/testing'
import { expect, test } from 'vitest'
import { declareObjects, type DeclareOptions } from './declare.ts'
import { filesRenderer } from './files.ts'
import { canonicalQuantity } from './quantity.ts'

async function declared(
  files: Record<string, string>,
  more: Partial<DeclareOptions> = {},
  call: RunCall = testCall(),
): Promise<DesiredState> {
  const source = memorySource({ files })
  const snapshot = await source.snapshot(await source.resolve(call), call)
  const scopeOf = async (): Promise<undefined> => undefined
  const given: DeclareOptions = {
    path: '',
    renderer: filesRenderer(),
    namespaces: {},
    scopeOf,
    maxObjects: 100,
    formed: new WeakMap(),
    ...more,
  }
  return declareObjects(snapshot, call, given)
}

const one = async (text: string, more: Partial<DeclareOptions> = {}): Promise<DesiredState['resources'][number]> => {
  const { resources } = await declared({ 'a.yaml': text }, more)
  expect(resources).toHaveLength(1)
  return resources[0]!
}
const head = (kind: string, apiVersion = 'v1'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: it\n`

const refusals: readonly (readonly [why: string, text: string, code: string, says: RegExp])[] = [
  ['YAML that is broken', 'a: [', 'DECLARATION_INVALID', /a\.yaml:1/],
  ['a key given twice', `${head('ConfigMap')}kind: Secret\n`, 'DECLARATION_INVALID', /a\.yaml:/],
  [
    'an alias bomb',
    `a: &a [1,1]\nb: &b [*a,*a]\n${'c: &c [*b,*b]\n'.repeat(1)}${Array.from({ length: 120 }, (_, i) => `k${i}: *c`).join('\n')}`,
    'DECLARATION_LIMIT',
    /alias/i,
  ],
  [
    'a key that could change prototypes',
    `${head('ConfigMap')}data:\n  __proto__: x\n`,
    'DECLARATION_FORBIDDEN_KEY',
    /a\.yaml/,
  ],
  ['a document without a kind', 'apiVersion: v1\nmetadata: {name: it}\n', 'DECLARATION_INVALID', /kind/],
  ['a document without an apiVersion', 'kind: ConfigMap\nmetadata: {name: it}\n', 'DECLARATION_INVALID', /apiVersion/],
  [
    'an apiVersion of another shape',
    'apiVersion: apps/v1/beta\nkind: Deployment\nmetadata: {name: it}\n',
    'DECLARATION_INVALID',
    /group\/version/,
  ],
  ['a kind that is a path', 'apiVersion: v1\nkind: ../x\nmetadata: {name: it}\n', 'DECLARATION_INVALID', /kind/],
  ['no name', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n', 'DECLARATION_INVALID', /metadata\.name/],
  ['metadata that is text', 'apiVersion: v1\nkind: ConfigMap\nmetadata: it\n', 'DECLARATION_INVALID', /metadata\.name/],
  [
    'a name that is a number',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n',
    'DECLARATION_INVALID',
    /metadata\.name/,
  ],
  [
    'only generateName',
    'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: it-}\n',
    'DECLARATION_INVALID',
    /made anew/,
  ],
  [
    'a name that is too long',
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${'a'.repeat(254)}}\n`,
    'DECLARATION_INVALID',
    /254/,
  ],
  [
    'a name with upper case',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Web}\n',
    'DECLARATION_INVALID',
    /lower-case/,
  ],
  [
    'a name that leads elsewhere',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../../x}\n',
    'DECLARATION_INVALID',
    /path/,
  ],
  [
    'a namespace that leads elsewhere',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it, namespace: a/b}\n',
    'DECLARATION_INVALID',
    /namespace/,
  ],
  [
    'a namespace that is too long',
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it, namespace: ${'a'.repeat(64)}}\n`,
    'DECLARATION_INVALID',
    /63/,
  ],
  [
    'a label that is a number',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it, labels: {version: 12}}\n',
    'DECLARATION_INVALID',
    /quotes/,
  ],
  [
    'an annotation that is a truth value',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it, annotations: {on: true}}\n',
    'DECLARATION_INVALID',
    /quotes/,
  ],
  [
    'a Secret whose data is no base64',
    `${head('Secret')}data:\n  password: "hunter 2"\n`,
    'DECLARATION_INVALID',
    /data\.password/,
  ],
  [
    'a Secret whose stringData is a number',
    `${head('Secret')}stringData:\n  pin: 1234\n`,
    'DECLARATION_INVALID',
    /stringData\.pin/,
  ],
  [
    'a wave that is no number',
    `${head('ConfigMap')}  annotations: {argocd.argoproj.io/sync-wave: "soon"}\n`,
    'DECLARATION_INVALID',
    /whole number/,
  ],
  [
    'a hook nobody knows',
    `${head('ConfigMap')}  annotations: {argocd.argoproj.io/hook: Sometime}\n`,
    'DECLARATION_INVALID',
    /PreSync/,
  ],
  [
    'a dependency of another shape',
    `${head('ConfigMap')}  annotations: {config.kubernetes.io/depends-on: web}\n`,
    'DECLARATION_INVALID',
    /group\/kind\/name/,
  ],
  [
    'the same object twice',
    `${head('ConfigMap')}---\n${head('ConfigMap')}`,
    'DECLARATION_DUPLICATE',
    /a\.yaml:1 .*a\.yaml:/,
  ],
  [
    'the same object in two versions',
    `${head('Deployment', 'apps/v1')}---\n${head('Deployment', 'apps/v1beta1')}`,
    'DECLARATION_DUPLICATE',
    /twice/,
  ],
  [
    'lists inside lists without end',
    `${'{"kind":"List","apiVersion":"v1","items":['.repeat(7)}${']}'.repeat(7)}`,
    'DECLARATION_LIMIT',
    /lists/,
  ],
  ['an item of a list that is text', 'apiVersion: v1\nkind: List\nitems: [x]\n', 'DECLARATION_INVALID', /item 0/],
  [
    'more objects than allowed',
    Array.from({ length: 101 }, (_, i) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${i}}\n`).join('---\n'),
    'DECLARATION_LIMIT',
    /maxObjects/,
  ],
  [
    'a number that would be rounded',
    `${head('Widget', 'example.org/v1')}spec: {big: 9007199254740993}\n`,
    'DECLARATION_INVALID',
    /a\.yaml/,
  ],
]

test.each(refusals)('refuses %s', async (_why, text, code, says) => {
  const refused = await declared({ 'a.yaml': text }).catch((error: GitOpsError) => error)
  expect(refused).toMatchObject({ code, message: expect.stringMatching(says) as string })
  expect((refused as GitOpsError).message).not.toContain('hunter')
})

test('reads documents, lists and JSON, and leaves empty documents out', async () => {
  const list =
    '{"apiVersion":"v1","kind":"ConfigMapList","items":[{"metadata":{"name":"c"}},{"metadata":{"name":"d"}}]}'
  const { resources } = await declared({
    'b.json': list,
    'sub/a.yml': `---\n---\n${head('ConfigMap')}---\n`,
    'README.md': 'x',
  })
  expect(resources.map(({ ref }) => ref)).toEqual([
    { kind: 'ConfigMap', namespace: 'default', name: 'c' },
    { kind: 'ConfigMap', namespace: 'default', name: 'd' },
    { kind: 'ConfigMap', namespace: 'default', name: 'it' },
  ])
  expect(resources[2]!.origin).toEqual({ path: 'sub/a.yml', line: 3 })
})

test('gives a namespace to what lives in one, and none to what does not', async () => {
  const namespaces = { default: 'shop' }
  expect((await one(head('ConfigMap'), { namespaces })).body['metadata']).toEqual({ name: 'it', namespace: 'shop' })
  const role = await one(`${head('ClusterRole', 'rbac.authorization.k8s.io/v1')}  namespace: wrong\n`, { namespaces })
  expect(role.ref).toEqual({ group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'it' })
  expect((await one(head('Namespace'), { namespaces })).ref.name).toBe('it')
})

test('knows the scope of a custom resource from a definition in the same commit', async () => {
  const definition = `${head('CustomResourceDefinition', 'apiextensions.k8s.io/v1')}spec: {group: example.org, scope: Cluster, names: {kind: Widget}}\n`
  const { resources, warnings } = await declared({ 'a.yaml': `${head('Widget', 'example.org/v1')}---\n${definition}` })
  expect(resources.find(({ ref }) => ref.kind === 'Widget')!.ref.namespace).toBeUndefined()
  expect(warnings).toEqual([])
})

test('takes a kind nobody knows to be namespaced, and says so', async () => {
  const { resources, warnings } = await declared({ 'a.yaml': head('Widget', 'example.org/v1') })
  expect(resources[0]!.ref.namespace).toBe('default')
  expect(warnings).toEqual([expect.stringContaining('nobody knows the kind Widget')])
})

test('a namespace that may not be used, and a cluster-wide object of a tenant, are refused before anything is asked', async () => {
  const namespaces = { default: 'shop', allowed: ['shop'] }
  await expect(one(`${head('ConfigMap')}  namespace: kube-system\n`, { namespaces })).rejects.toMatchObject({
    code: 'TENANT_DENIED',
  })
  await expect(one(head('Namespace'), { namespaces })).rejects.toMatchObject({ code: 'TENANT_DENIED' })
  const permitted = { ...namespaces, clusterScoped: ['Namespace'] }
  expect((await one(head('Namespace'), { namespaces: permitted })).ref.kind).toBe('Namespace')
})

test('what the server writes is left out with a remark, and stringData becomes data', async () => {
  const { resources, warnings } = await declared({
    'a.yaml': `${head('Secret')}  uid: abc\n  resourceVersion: "7"\n  creationTimestamp: null\nstringData: {user: admin}\nstatus: {}\n`,
  })
  expect(resources[0]!.body).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'it', namespace: 'default' },
    data: { user: 'YWRtaW4=' },
  })
  expect(resources[0]!.sensitive).toEqual(['/data', '/stringData', '/metadata/annotations'])
  expect(warnings).toHaveLength(2)
})

test('ports get their protocol and quantities their canonical form', async () => {
  const spec =
    'spec: {template: {spec: {containers: [{name: web, ports: [{containerPort: 80}], resources: {limits: {cpu: 0.1, memory: 1024Mi}}}]}}}\n'
  const { body } = await one(head('Deployment', 'apps/v1') + spec)
  const text = JSON.stringify(body)
  expect(text).toContain('{"containerPort":80,"protocol":"TCP"}')
  expect(text).toContain('{"cpu":"100m","memory":"1Gi"}')
})

test.each([
  ['0.1', '100m'],
  ['100m', '100m'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['0.5', '500m'],
  ['1', '1'],
  ['1000', '1k'],
  ['1024', '1024'],
  ['1e3', '1e3'],
  ['1E3', '1e3'],
  ['12e6', '12e6'],
  ['1024Mi', '1Gi'],
  ['0.5Gi', '512Mi'],
  ['1.5Gi', '1536Mi'],
  ['1Ki', '1Ki'],
  ['0.5Ki', '512'],
  ['0', '0'],
  ['0Mi', '0'],
  ['-1', '-1'],
  ['100n', '100n'],
  ['5G', '5G'],
  ['2000M', '2G'],
  ['.5', '500m'],
  ['1.', '1'],
  ['', ''],
  ['lots', 'lots'],
  ['1.5.5', '1.5.5'],
])('the quantity %s is written %s by the server', (given, canonical) => {
  expect(canonicalQuantity(given)).toBe(canonical)
})

test('scalars are read as the tools of Kubernetes read them', async () => {
  const { body } = await one(
    `${head('Widget', 'example.org/v1')}spec: {mode: 0644, octal: 0o644, truth: yes, untruth: Off, count: 1_000, time: 1:30, date: 2001-12-14, text: "yes"}\n`,
  )
  expect(body['spec']).toEqual({
    mode: 420,
    octal: 420,
    truth: true,
    untruth: false,
    count: 1000,
    time: '1:30',
    date: '2001-12-14',
    text: 'yes',
  })
})

test('variables keep their type and their line breaks, and cannot break out of their place', async () => {
  const certificate = '-----BEGIN-----\nabc\n-----END-----\n'
  const spec =
    'spec: {replicas: "${n}", image: "web:${tag:-latest}", pem: "${pem}", raw: "$${n}", shell: "$HOME ${tag:=x}"}\n'
  const variables = { n: 3, pem: certificate, injected: 'x: y' }
  const { body } = await one(head('Widget', 'example.org/v1') + spec, { variables })
  expect(body['spec']).toEqual({ replicas: 3, image: 'web:latest', pem: certificate, raw: '${n}', shell: '$HOME x' })
})

test('a variable without a value is refused, one in an exempt object is left alone, and no variables means no substitution', async () => {
  const text = `${head('ConfigMap')}data: {a: "\${missing}"}\n`
  await expect(one(text, { variables: {} })).rejects.toMatchObject({
    code: 'DECLARATION_INVALID',
    message: expect.stringContaining('missing') as string,
  })
  expect((await one(text)).body['data']).toEqual({ a: '${missing}' })
  const exempt = `${head('ConfigMap')}  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\ndata: {a: "\${missing}"}\n`
  expect((await one(exempt, { variables: {} })).body['data']).toEqual({ a: '${missing}' })
})

test('what a secret variable fills is marked, also inside a text and a list, and its value is in no digest of its own', async () => {
  const text = `${head('Widget', 'example.org/v1')}spec: {url: "db://u:\${password}@h", env: [{value: "\${password}"}], "a/b": "\${password}", tag: "\${tag}"}\n`
  const variables = { password: new Secret('opensesame'), tag: 'v1' }
  const { body, sensitive } = await one(text, { variables })
  expect(body['spec']).toMatchObject({ url: 'db://u:opensesame@h', env: [{ value: 'opensesame' }], tag: 'v1' })
  expect(sensitive).toEqual(['/spec/url', '/spec/env/0/value', '/spec/a~1b'])
  expect((await one(text, { variables: { ...variables, tag: 'v2' } })).digest).not.toBe(
    (await one(text, { variables })).digest,
  )
})

test('an output of another application keeps its type, and a secret one may not name an object', async () => {
  const inputs = { network: { size: { value: 3, sensitive: false }, name: { value: 'hidden', sensitive: true } } }
  const call = testCall({ inputs })
  const variables = { size: outputOf('network', 'size'), name: outputOf('network', 'name') }
  const { resources } = await declared(
    { 'a.yaml': `${head('Widget', 'example.org/v1')}spec: {replicas: "\${size}"}\n` },
    { variables },
    call,
  )
  expect(resources[0]?.body['spec']).toEqual({ replicas: 3 })
  expect(resources[0]?.sensitive).toBeUndefined()
  const named = { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "${name}"}\n' }
  await expect(declared(named, { variables }, call)).rejects.toMatchObject({ code: 'DECLARATION_INVALID' })
  await expect(declared(named, { variables: { name: outputOf('network', 'other') } }, call)).rejects.toMatchObject({
    code: 'INPUT_MISSING',
  })
})

const annotated: readonly (readonly [annotation: string, value: string, expected: object])[] = [
  ['argocd.argoproj.io/sync-wave', '-5', { order: { wave: -5 } }],
  ['argocd.argoproj.io/hook', 'PreSync', { order: { phase: 'PreSync', hook: {} } }],
  ['argocd.argoproj.io/hook', 'Skip', { options: { reconcile: false } }],
  ['argocd.argoproj.io/sync-options', 'Prune=false', { options: { prune: false } }],
  ['argocd.argoproj.io/sync-options', 'Prune=confirm', { options: { prune: 'confirm' } }],
  ['argocd.argoproj.io/sync-options', 'PruneLast=true', { order: { pruneLast: true } }],
  ['argocd.argoproj.io/sync-options', 'Replace=true,Force=true', { options: { replace: true } }],
  ['argocd.argoproj.io/ignore-healthcheck', 'true', { options: { health: false } }],
  ['kustomize.toolkit.fluxcd.io/prune', 'disabled', { options: { prune: false } }],
  ['kustomize.toolkit.fluxcd.io/prune', 'Disabled', { options: { prune: false } }],
  ['kustomize.toolkit.fluxcd.io/reconcile', 'disabled', { options: { reconcile: false } }],
  ['kustomize.toolkit.fluxcd.io/ssa', 'Ignore', { options: { reconcile: false } }],
  ['kustomize.toolkit.fluxcd.io/force', 'enabled', { options: { replace: true } }],
  [
    'config.kubernetes.io/depends-on',
    'apps/namespaces/shop/Deployment/db, /Namespace/shop',
    {
      order: {
        dependsOn: [
          { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'db' },
          { kind: 'Namespace', name: 'shop' },
        ],
      },
    },
  ],
  ['helm.sh/hook', 'pre-install,pre-upgrade', { order: { phase: 'PreSync', hook: {} } }],
  ['helm.sh/hook', 'post-delete', { order: { phase: 'PostDelete', hook: {} } }],
  ['helm.sh/hook', 'test', { options: { reconcile: false } }],
  ['helm.sh/hook-weight', '5', { order: { wave: 5 } }],
  ['helm.sh/resource-policy', 'keep', { options: { prune: false } }],
  ['client.lifecycle.config.k8s.io/deletion', 'detach', { options: { prune: false } }],
  ['cli-utils.sigs.k8s.io/on-remove', 'keep', { options: { prune: false } }],
  ['gitops-sdk/wave', '2', { order: { wave: 2 } }],
  ['gitops-sdk/hook', 'postsync', { order: { phase: 'PostSync', hook: {} } }],
  ['gitops-sdk/prune', 'confirm', { options: { prune: 'confirm' } }],
  ['gitops-sdk/self-heal', 'disabled', { options: { selfHeal: false } }],
  ['gitops-sdk/replace', 'allowed', { options: { replace: true } }],
  ['gitops-sdk/reconcile', 'disabled', { options: { reconcile: false } }],
]

test.each(annotated)('understands %s: %s', async (annotation, value, expected) => {
  expect(await one(`${head('ConfigMap')}  annotations: {${annotation}: ${JSON.stringify(value)}}\n`)).toMatchObject(
    expected,
  )
})

test('hook delete policies of Argo CD and Helm mean the same', async () => {
  for (const [key, value] of [
    ['argocd.argoproj.io/hook-delete-policy', 'HookSucceeded'],
    ['helm.sh/hook-delete-policy', 'hook-succeeded'],
  ])
    expect(
      (await one(`${head('ConfigMap')}  annotations: {gitops-sdk/hook: PreSync, ${key}: ${value}}\n`)).order,
    ).toEqual({ phase: 'PreSync', hook: { deletePolicy: ['HookSucceeded'] } })
})

test('a namespace comes before the earliest hook that lives in it', async () => {
  const job =
    'apiVersion: batch/v1\nkind: Job\nmetadata: {name: it, namespace: shop, annotations: {argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/sync-wave: "-3"}}\n'
  const { resources } = await declared({
    'a.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n${job}`,
  })
  expect(resources.find(({ ref }) => ref.kind === 'Namespace')!.order).toEqual({ phase: 'PreSync', wave: -3 })
})

test('the same declarations have the same digest, and variables count', async () => {
  const text = `${head('ConfigMap')}data: {a: "\${x:-1}"}\n`
  const first = await declared({ 'a.yaml': text })
  expect((await declared({ 'a.yaml': text })).digest).toBe(first.digest)
  expect((await declared({ 'a.yaml': text }, { variables: { x: 2 } })).digest).not.toBe(first.digest)
})

test('a link and a kustomization are never read silently', async () => {
  const { resources, warnings } = await declared({
    'kustomization.yaml': 'resources: [a.yaml]\n',
    'a.yaml': head('ConfigMap'),
  })
  expect(resources).toHaveLength(1)
  expect(warnings).toEqual([expect.stringContaining('kustomization.yaml was left out')])
})
