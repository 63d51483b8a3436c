import type { JsonObject } from '@gitops-sdk/core'
import type { KubernetesTargetOptions } from '../../src/index.ts'
import type { MemoryApiServer, MemoryApiServerOptions, ServerFault } from '../../src/testing.ts'

/** Something that is wrong, beside an ordinary object called `good`. */
export interface BadInput {
  readonly why: string
  /** Declared beside `good`. */
  readonly bad: string | Uint8Array
  /** The documented error, or the rule by which the plan blocks the change. */
  readonly code: string
  readonly says?: RegExp
  /** What becomes of `good`: applied all the same, or nothing is written because the whole revision is refused. */
  readonly rest: 'goes on' | 'stops'
  /** Declared and applied before, in the place of the bad. */
  readonly before?: string
  readonly given?: (server: MemoryApiServer) => unknown
  readonly server?: MemoryApiServerOptions
  readonly target?: Partial<KubernetesTargetOptions>
  /** Never to be seen in any event, result or error. */
  readonly secret?: string
}

const meta = (name: string, more = ''): string => `metadata: {name: ${name}${more}}`
export const map = (name: string, data = '{}', more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\n${meta(name, more)}\ndata: ${data}\n`
const deployment = (label: string, of = label): string =>
  `apiVersion: apps/v1\nkind: Deployment\n${meta('web')}\nspec: {replicas: 0, selector: {matchLabels: {app: ${label}}}, template: {metadata: {labels: {app: ${of}}}, spec: {containers: [{name: web, image: web}]}}}\n`
const service = (spec: string): string => `apiVersion: v1\nkind: Service\n${meta('bad')}\nspec: ${spec}\n`
const secretOf = (more: string): string => `apiVersion: v1\nkind: Secret\n${meta('bad')}\n${more}\n`
const statefulSet = (name: string): string =>
  `apiVersion: apps/v1\nkind: StatefulSet\n${meta('db')}\nspec: {serviceName: ${name}, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: db}]}}}\n`
const claim = (mode: string): string =>
  `apiVersion: v1\nkind: PersistentVolumeClaim\n${meta('disk')}\nspec: {accessModes: [${mode}], resources: {requests: {storage: 1Gi}}}\n`
const binding = (role: string): string =>
  `apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n${meta('ours')}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${role}}\nsubjects: [{kind: User, name: ada, apiGroup: rbac.authorization.k8s.io}]\n`

const refused = (why: string, bad: string | Uint8Array, says: RegExp, code = 'DECLARATION_INVALID'): BadInput => ({
  why,
  bad,
  code,
  says,
  rest: 'stops',
})

/** Read from the repository alone: the whole revision is refused, and nothing is asked of the server. */
const declarations: readonly BadInput[] = [
  refused('YAML that ends too early', 'a: [1\n', /bad\.yaml/),
  refused('a tab for an indentation', 'metadata:\n\tname: bad\n', /bad\.yaml/),
  refused('a key twice', `${map('bad')}data: {}\n`, /bad\.yaml/),
  refused('aliases that multiply', bomb(), /alias|large|deep/i, 'DECLARATION_LIMIT'),
  refused('a very deep list', '['.repeat(5000), /deep|bad\.yaml/i, 'DECLARATION_LIMIT'),
  refused('bytes that are no text', new Uint8Array([0x61, 0x3a, 0x20, 0xff, 0xfe, 0x0a]), /bad\.yaml/),
  refused('a number that is none', map('bad', '{a: .nan}'), /bad\.yaml/),
  refused('a number without an end', map('bad', '{a: .inf}'), /bad\.yaml/),
  refused(
    'a prototype as a key',
    `${map('bad')}__proto__: {polluted: yes}\n`,
    /__proto__/,
    'DECLARATION_FORBIDDEN_KEY',
  ),
  refused('a list at the top', '- a\n- b\n', /bad\.yaml/),
  refused('a text at the top', 'just text\n', /bad\.yaml/),
  refused('no kind', `apiVersion: v1\n${meta('bad')}\n`, /kind/),
  refused('no apiVersion', `kind: ConfigMap\n${meta('bad')}\n`, /apiVersion/),
  refused('no name', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {}}\n', /name/),
  refused('no metadata', 'apiVersion: v1\nkind: ConfigMap\n', /name|metadata/),
  refused('a name with capitals', map('Bad'), /the name of a ConfigMap/),
  refused('a name that is too long', map('x'.repeat(254)), /254 characters/),
  refused('metadata that is a text', 'apiVersion: v1\nkind: ConfigMap\nmetadata: bad\n', /metadata|name/),
  refused(
    'a name that is only begun',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: bad-}\n',
    /generateName/,
  ),
  refused('the same object twice', `${map('bad')}---\n${map('bad')}`, /bad/, 'DECLARATION_DUPLICATE'),
  refused('the same object in two files', map('good'), /good/, 'DECLARATION_DUPLICATE'),
  refused('a name that is a number', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n', /name/),
  refused('a name with a slash', map('"../secrets/x"'), /name|\.\./),
  refused('a number as a label', map('bad', '{}', ', labels: {a: 1}'), /label/),
  refused(
    'a wave that is no number',
    map('bad', '{}', ', annotations: {argocd.argoproj.io/sync-wave: soon}'),
    /sync-wave/,
  ),
  refused('a Secret that is not base64', secretOf('data: {a: "hunter2!"}'), /base64/),
  {
    ...refused(
      'a namespace that is not allowed',
      map('bad', '{}', ', namespace: kube-system'),
      /kube-system/,
      'TENANT_DENIED',
    ),
    target: { namespaces: { default: 'shop', allowed: ['shop'] } },
  },
  {
    ...refused(
      'a kind of the whole cluster for a tenant',
      `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n${meta('bad')}\n`,
      /ClusterRole/,
      'TENANT_DENIED',
    ),
    target: { namespaces: { default: 'shop', allowed: ['shop'] } },
  },
  {
    ...refused('a variable that is not given', map('bad', '{a: "${nothing}"}'), /nothing/),
    target: { variables: { some: 'thing' } },
  },
  {
    ...refused(
      'more objects than agreed',
      Array.from({ length: 20 }, (_, index) => map(`bad-${index}`)).join('---\n'),
      /20|10|many/,
      'DECLARATION_LIMIT',
    ),
    target: { maxObjects: 10 },
  },
]

function bomb(): string {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x]']
  for (let level = 1; level < 10; level++) lines.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`)
  return `${lines.join('\n')}\n`
}

const object = (
  why: string,
  bad: string,
  says: RegExp,
  code = 'TARGET_REFUSED',
  more: Partial<BadInput> = {},
): BadInput => ({
  why,
  bad,
  code,
  says,
  rest: 'goes on',
  ...more,
})
const deny = (denied: string, code: number): MemoryApiServerOptions => ({
  admit: ({ object: wanted }) => (labelled(wanted) ? { denied, code } : undefined),
})
const labelled = (wanted: JsonObject): boolean =>
  ((wanted['metadata'] as JsonObject)['labels'] as JsonObject | undefined)?.['bad'] === 'yes'
const marked = map('bad', '{}', ', labels: {bad: "yes"}')

/** Refused by the server for one object: the others are applied. */
const objects: readonly BadInput[] = [
  object('a field nobody knows', `${map('bad')}dataa: {a: b}\n`, /field not declared in schema/),
  object('a value of the wrong type', map('bad', '{a: [1]}'), /expected string/),
  object('a map where a list belongs', service('{ports: {a: 1}}'), /expected list/),
  object('two items with the same key', service('{ports: [{port: 80}, {port: 80}]}'), /duplicate entries/),
  object(
    'an item without its key',
    `apiVersion: v1\nkind: Pod\n${meta('bad')}\nspec: {containers: [{image: x}]}\n`,
    /key|name/,
  ),
  object('a value the server refuses', service('{ports: [{port: 99999}]}'), /spec\.ports/),
  object('a field that is required', service('{}'), /spec\.ports/),
  object('a selector that selects nothing', deployment('one', 'other'), /selector/),
  object('a label that is too long', map('bad', '{}', `, labels: {a: ${'x'.repeat(64)}}`), /metadata\.labels/),
  object('a label that is no value', map('bad', '{}', ', labels: {a: "not a value"}'), /metadata\.labels/),
  object(
    'annotations of more than 256 KiB',
    map('bad', '{}', `, annotations: {a: ${'x'.repeat(300_000)}}`),
    /metadata\.annotations/,
  ),
  object(
    'an apiVersion that is not served',
    `apiVersion: apps/v9\nkind: Deployment\n${meta('bad')}\nspec: {}\n`,
    /does not know the kind Deployment/,
  ),
  object(
    'a kind that nobody defined',
    `apiVersion: nowhere.example.org/v1\nkind: Widget\n${meta('bad')}\n`,
    /CustomResourceDefinition/,
  ),
  object('a namespace that is not there', map('bad', '{}', ', namespace: nowhere'), /nowhere/),
  object('an object of more than a mebibyte', map('bad', `{a: ${'x'.repeat(1_100_000)}}`), /Too long/),
  object('a request of more than three mebibytes', map('bad', `{a: ${'x'.repeat(3_400_000)}}`), /413/),
  object(
    'a Secret the server refuses',
    secretOf('type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: hunter2}'),
    /./,
    'TARGET_REFUSED',
    { secret: 'hunter2' },
  ),
  object('a policy that denies', marked, /denied by the test/, 'TARGET_REFUSED', {
    server: deny('denied by the test', 422),
  }),
  object('a webhook that denies', marked, /denied by the test/, 'TARGET_FORBIDDEN', {
    server: deny('denied by the test', 403),
  }),
  object('a webhook that denies with a megabyte', marked, /denied/, 'TARGET_FORBIDDEN', {
    server: deny(`denied ${'x'.repeat(1_000_000)}`, 403),
  }),
  object('a webhook that is down', marked, /failed calling webhook/, 'APPLY_FAILED', {
    server: deny('failed calling webhook "x": connection refused', 500),
  }),
  object('a quota that is used up', service('{ports: [{port: 80}]}'), /exceeded quota/, 'TARGET_FORBIDDEN', {
    given: (server) =>
      server.put({
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'none', namespace: 'shop' },
        spec: { hard: { services: '0' } },
      }),
  }),
  object('a namespace that is being deleted', map('bad', '{}', ', namespace: dying'), /terminated/, 'TARGET_LOCKED', {
    given: (server) => {
      server.put({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'held', namespace: 'dying', finalizers: ['example.org/held'] },
      })
      server.put({
        ...server.get('v1', 'Namespace', 'dying'),
        metadata: { name: 'dying', deletionTimestamp: '2020-01-01T00:00:00Z' },
      })
    },
  }),
  object('an object that is being deleted', map('bad', '{a: "2"}'), /finalizers: example\.org\/held/, 'TARGET_LOCKED', {
    given: (server) =>
      server.put({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'bad',
          namespace: 'shop',
          deletionTimestamp: '2020-01-01T00:00:00Z',
          finalizers: ['example.org/held'],
        },
      }),
  }),
  object('a field that another tool applies', map('bad', '{a: "1"}'), /other-tool/, 'APPLY_CONFLICT', {
    given: (server) =>
      server.put({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'bad',
          namespace: 'shop',
          managedFields: [
            {
              manager: 'other-tool',
              operation: 'Apply',
              apiVersion: 'v1',
              fieldsType: 'FieldsV1',
              fieldsV1: { 'f:data': { 'f:a': {} } },
            },
          ],
        },
        data: { a: 'theirs' },
      }),
  }),
]

const stuck = (why: string, before: string, bad: string, says: RegExp): BadInput => ({
  why,
  before,
  bad,
  code: 'immutable',
  says,
  rest: 'goes on',
})

/** Changes that cannot be made in place: blocked in the plan, and never made by deleting. */
const changes: readonly BadInput[] = [
  stuck('the selector of a Deployment', deployment('one'), deployment('two'), /spec\/selector/),
  stuck('the service of a StatefulSet', statefulSet('one'), statefulSet('two'), /serviceName/),
  stuck('the mode of a claim', claim('ReadWriteOnce'), claim('ReadWriteMany'), /accessModes/),
  stuck('the role of a binding', binding('one'), binding('two'), /roleRef/),
  stuck(
    'a ConfigMap that is closed',
    `${map('bad', '{a: "1"}')}immutable: true\n`,
    `${map('bad', '{a: "2"}')}immutable: true\n`,
    /data/,
  ),
  stuck('the type of a Secret', secretOf('type: one'), secretOf('type: two'), /type/),
  stuck(
    'the address of a Service',
    service('{clusterIP: 10.0.0.7, ports: [{port: 80}]}'),
    service('{clusterIP: 10.0.0.8, ports: [{port: 80}]}'),
    /clusterIP/,
  ),
]

const writes = ({ method, path }: { method: string; path: string }): boolean =>
  method === 'PATCH' && path.endsWith('/bad')
const fault =
  (given: ServerFault): ((server: MemoryApiServer) => unknown) =>
  (server) =>
    server.inject({ when: writes, ...given })
const text = (status: number, body: string, headers = {}): NonNullable<ServerFault['answer']> => ({
  status,
  body,
  headers,
})

/** What goes wrong on the way: never taken for an answer. */
const transport: readonly BadInput[] = [
  object('a connection that breaks before the write', map('bad'), /could not be reached|no JSON/, 'APPLY_FAILED', {
    given: fault({ cut: 'before' }),
  }),
  object('a connection that breaks after the write', map('bad'), /could not be reached|no JSON/, 'APPLY_FAILED', {
    given: fault({ cut: 'after' }),
  }),
  object('an answer that is cut in the middle', map('bad'), /could not be reached|no JSON/, 'APPLY_FAILED', {
    given: fault({ cut: 'middle' }),
  }),
  object('a server that is away', map('bad'), /503/, 'APPLY_FAILED', {
    given: fault({ answer: text(503, 'no'), times: Infinity }),
  }),
  object('a gateway that gives up', map('bad'), /504/, 'APPLY_FAILED', {
    given: fault({ answer: text(504, 'no'), times: Infinity }),
  }),
  object('an error page of a proxy', map('bad'), /502/, 'APPLY_FAILED', {
    given: fault({ answer: text(502, '<html>no</html>', { 'Content-Type': 'text/html' }), times: Infinity }),
  }),
  object('an answer that is no JSON', map('bad'), /could not be reached|no JSON/, 'APPLY_FAILED', {
    given: fault({ answer: text(200, '{"a":', { 'Content-Type': 'application/json' }), times: Infinity }),
  }),
  object('an internal error', map('bad'), /500/, 'APPLY_FAILED', {
    given: fault({
      answer: { status: 500, body: { kind: 'Status', reason: 'InternalError', message: 'no' } },
      times: Infinity,
    }),
  }),
  object('a right that was taken away', map('bad'), /403/, 'TARGET_FORBIDDEN', {
    given: fault({
      answer: { status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'no' } },
      times: Infinity,
    }),
  }),
  object('a token that expires in the middle', map('bad'), /401/, 'TARGET_AUTH', {
    given: fault({
      answer: { status: 401, body: { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' } },
      times: Infinity,
    }),
  }),
]

/** Every case, each in a world of its own. */
export const badInputs: readonly BadInput[] = [...declarations, ...objects, ...changes, ...transport]
