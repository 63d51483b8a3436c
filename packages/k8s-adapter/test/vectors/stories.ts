import type { ControlPlaneOptions } from '../../src/testing.ts'
import { COMPACT, type Question } from './ask.ts'
import {
  apply,
  binding,
  bindings,
  claim,
  claims,
  definition,
  deployment,
  deployments,
  map,
  maps,
  secrets,
  services,
  statefulSet,
  statefulSets,
  widget,
  widgets,
  widgetSchema,
} from './objects.ts'

/** Questions that follow each other in one namespace. */
export interface Story {
  readonly name: string
  /** A server that caches remembers for a while what its database forgot. */
  readonly how: 'usual' | 'without a cache'
  readonly questions: readonly Question[]
}

/** The control plane that a story is told on. No controller of workloads: it would write between two questions. */
export function planeFor(how: Story['how']): ControlPlaneOptions {
  return {
    users: [{ name: 'limited' }],
    controllers: how === 'usual' ? ['namespace', 'garbage-collector'] : false,
    flags: how === 'usual' ? [] : ['--watch-cache=false'],
  }
}

const usual: readonly Omit<Story, 'how'>[] = [
  {
    name: 'creates, reads, replaces, patches and deletes an object',
    questions: [
      { ask: `POST ${maps}?fieldManager=someone`, body: map('one', { a: '1' }) },
      { ask: `GET ${maps}/one` },
      { ask: `POST ${maps}`, body: map('one') },
      { ask: `PUT ${maps}/one?fieldManager=other`, body: map('one', { a: '2' }) },
      { ask: `MERGE ${maps}/one?fieldManager=other`, body: { data: { b: '1', a: null } } },
      { ask: `STRATEGIC ${maps}/one?fieldManager=third`, body: { metadata: { labels: { x: 'y' } } } },
      { ask: `JSON ${maps}/one?fieldManager=third`, body: [{ op: 'replace', path: '/data/b', value: '3' }] },
      { ask: `DELETE ${maps}/one` },
      { ask: `GET ${maps}/one` },
      { ask: `DELETE ${maps}/one` },
      { ask: `MERGE ${maps}/one`, body: { data: {} } },
    ],
  },
  {
    name: 'refuses writes from an old version and of another identity',
    questions: [
      { ask: `POST ${maps}`, body: map('one', { a: '1' }) },
      { ask: `MERGE ${maps}/one`, body: { data: { a: '2' } } },
      { ask: `PUT ${maps}/one`, body: map('one', {}, { resourceVersion: '{0.metadata.resourceVersion}' }) },
      apply('ours', `${maps}/one`, map('one', {}, { resourceVersion: '{0.metadata.resourceVersion}' })),
      apply('ours', `${maps}/one`, map('one', {}, { uid: '00000000-0000-4000-8000-000000000000' })),
      apply('ours', `${maps}/two`, map('two', {}, { uid: '00000000-0000-4000-8000-000000000000' })),
      { ask: `DELETE ${maps}/one`, body: { preconditions: { uid: '00000000-0000-4000-8000-000000000000' } } },
      { ask: `DELETE ${maps}/one`, body: { preconditions: { resourceVersion: '{0.metadata.resourceVersion}' } } },
      { ask: `DELETE ${maps}/one`, body: { preconditions: { uid: '{0.metadata.uid}' } } },
    ],
  },
  {
    name: 'applies: creates, changes nothing, changes, and removes what is left out',
    questions: [
      apply('ours', `${maps}/one`, map('one', { a: '1', b: '1' })),
      apply('ours', `${maps}/one`, map('one', { a: '1', b: '1' })),
      apply('ours', `${maps}/one`, map('one', { a: '2', b: '1' })),
      apply('ours', `${maps}/one`, map('one', { a: '2' })),
      apply('ours', `${maps}/one`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } }),
    ],
  },
  {
    name: 'applies beside others: shares, conflicts, forces, and leaves what others keep',
    questions: [
      apply('ours', `${maps}/one`, map('one', { a: '1', b: '1' })),
      apply('theirs', `${maps}/one`, map('one', { a: '1' })),
      apply('ours', `${maps}/one`, map('one', { b: '1' })),
      apply('ours', `${maps}/one`, map('one', { a: '2', b: '1' })),
      apply('ours', `${maps}/one`, map('one', { a: '2', b: '1' }), '&force=true'),
      { ask: `MERGE ${maps}/one?fieldManager=editor`, body: { data: { b: '9', c: '1' } } },
      apply('ours', `${maps}/one`, map('one', { a: '2', b: '1', c: '2' })),
      apply('ours', `${maps}/one`, map('one', { a: '2', b: '1', c: '1' }), '&force=true'),
      { ask: `MERGE ${maps}/one?fieldManager=editor`, body: { data: { b: null } } },
    ],
  },
  {
    name: 'applies into lists by the keys of their items',
    questions: [
      apply(
        'ours',
        `${deployments}/web`,
        deployment({}, { ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] }),
      ),
      apply('theirs', `${deployments}/web`, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'B', value: '2' }] }] } } },
      }),
      { ask: `MERGE ${deployments}/web?fieldManager=editor`, body: { spec: { replicas: 3 } } },
      {
        ask: `STRATEGIC ${deployments}/web?fieldManager=editor`,
        body: { spec: { template: { spec: { containers: [{ name: 'web', image: 'web:2' }] } } } },
      },
      apply('ours', `${deployments}/web`, deployment({ replicas: 1 })),
      apply('ours', `${deployments}/web`, deployment({ replicas: 1 }), '&force=true'),
    ],
  },
  {
    name: 'refuses to apply what is not of the schema',
    questions: [
      apply('ours', `${maps}/one`, { ...map('one'), dataa: { a: 'b' } }),
      apply('ours', `${maps}/one`, { ...map('one'), data: { a: [1] } }),
      apply('ours', `${maps}/one`, { ...map('one'), data: { a: 1 } }),
      apply('ours', `${maps}/one`, { ...map('one'), data: 'x' }),
      apply('ours', `${deployments}/web`, deployment({ foo: 1 })),
      apply('ours', `${services}/one`, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'one' },
        spec: { ports: [{ port: 80 }, { port: 80 }] },
      }),
      { ask: `APPLY ${maps}/one`, body: map('one') },
      apply('ours', `${maps}/one`, map('two')),
      apply(
        'ours',
        `${maps}/one`,
        map('one', {}, { managedFields: [{ manager: 'x', operation: 'Apply', apiVersion: 'v1' }] }),
      ),
      apply('ours', `${maps}/one`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } }),
      apply('ours', `${maps}/one`, map('one', {}, { namespace: 'elsewhere' })),
    ],
  },
  {
    name: 'a dry run answers as if and keeps nothing',
    questions: [
      apply('ours', `${maps}/one`, map('one', { a: '1' }), '&dryRun=All'),
      { ask: `GET ${maps}/one` },
      { ask: `POST ${maps}?dryRun=All&fieldManager=x`, body: map('one') },
      apply('ours', `${maps}/one`, map('one', { a: '1' })),
      apply('ours', `${maps}/one`, map('one', { a: '2' }), '&dryRun=All'),
      apply('other', `${maps}/one`, map('one', { a: '2' }), '&dryRun=All'),
      { ask: `DELETE ${maps}/one?dryRun=All` },
      { ask: `GET ${maps}/one` },
    ],
  },
  {
    name: 'refuses values that are wrong, by field and reason',
    questions: [
      apply('ours', `${maps}/Big`, map('Big')),
      apply('ours', `${maps}/${'x'.repeat(254)}`, map('x'.repeat(254))),
      apply('ours', `${services}/one`, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'one' },
        spec: { ports: [{ port: 99999 }] },
      }),
      apply('ours', `${services}/one`, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'one' }, spec: {} }),
      apply('ours', `${maps}/one`, map('one', {}, { labels: { a: 'not a value' } })),
      apply('ours', `${deployments}/web`, deployment({ selector: { matchLabels: { app: 'other' } } })),
      apply('ours', `${maps}/one`, map('one', { a: 'x'.repeat(1_100_000) })),
    ],
  },
  {
    name: 'refuses to change what is settled',
    questions: [
      apply('ours', `${deployments}/web`, deployment({ replicas: 0 })),
      apply('ours', `${deployments}/web`, {
        ...deployment({
          replicas: 0,
          selector: { matchLabels: { app: 'two' } },
          template: { metadata: { labels: { app: 'two' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
        }),
      }),
      { ask: `POST ${maps}`, body: { ...map('one', { a: '1' }), immutable: true } },
      apply('ours', `${maps}/one`, { ...map('one', { a: '2' }), immutable: true }, '&force=true'),
      { ask: `POST ${secrets}?fieldManager=x`, body: { metadata: { name: 'key' }, stringData: { a: 'b' } } },
      { ask: `MERGE ${secrets}/key`, body: { type: 'other' } },
    ],
  },
  {
    name: 'an object with finalizers waits for them',
    questions: [
      { ask: `POST ${maps}?fieldManager=x`, body: map('one', { a: '1' }, { finalizers: ['example.org/held'] }) },
      { ask: `DELETE ${maps}/one` },
      { ask: `DELETE ${maps}/one` },
      apply('ours', `${maps}/one`, map('one', { b: '1' })),
      { ask: `MERGE ${maps}/one?fieldManager=x`, body: { metadata: { finalizers: null } } },
      { ask: `GET ${maps}/one` },
    ],
  },
  {
    name: 'children go with their owner, in the background, before it, or not at all',
    questions: ['Background', 'Foreground', 'Orphan'].flatMap((propagationPolicy, index) => [
      { ask: `POST ${maps}?fieldManager=x`, body: map(`owner-${index}`) },
      {
        ask: `POST ${maps}?fieldManager=x`,
        body: map(
          `child-${index}`,
          {},
          {
            ownerReferences: [
              {
                apiVersion: 'v1',
                kind: 'ConfigMap',
                name: `owner-${index}`,
                uid: `{${index * 5}.metadata.uid}`,
                blockOwnerDeletion: true,
              },
            ],
          },
        ),
      },
      { ask: `DELETE ${maps}/owner-${index}`, body: { propagationPolicy } },
      { ask: `GET ${maps}/owner-${index}`, until: 404 },
      { ask: `GET ${maps}/child-${index}`, until: propagationPolicy === 'Orphan' ? 200 : 404 },
    ]),
  },
  {
    name: 'nothing is made in a namespace that ends, and a namespace that is not there is named',
    questions: [
      { ask: `POST ${maps}?fieldManager=x`, body: map('held', {}, { finalizers: ['example.org/held'] }) },
      { ask: 'DELETE /api/v1/namespaces/{ns}' },
      { ask: `POST ${maps}`, body: map('one') },
      apply('ours', `${maps}/one`, map('one')),
      apply('ours', '/api/v1/namespaces/nowhere/configmaps/one', map('one')),
      { ask: `DELETE ${maps}/held`, brief: true },
      { ask: `MERGE ${maps}/held?fieldManager=x`, body: { metadata: { finalizers: null } }, brief: true },
      { ask: 'GET /api/v1/namespaces/{ns}', until: 404 },
    ],
  },
  {
    name: 'the status has its own door',
    questions: [
      apply('ours', `${deployments}/web`, deployment({ replicas: 0 })),
      {
        ask: `MERGE ${deployments}/web/status?fieldManager=controller`,
        body: { spec: { replicas: 5 }, status: { observedGeneration: 1, replicas: 2 } },
      },
      {
        ask: `MERGE ${deployments}/web?fieldManager=someone`,
        body: { status: { replicas: 9 }, spec: { paused: true } },
      },
    ],
  },
  {
    name: 'a defined kind is served, checked, filled in and ends with its definition',
    questions: [
      {
        ask: 'POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldManager=x',
        body: definition('widgets', widgetSchema),
      },
      { ask: `GET ${widgets}`, until: 200 },
      apply('ours', `${widgets}/one`, widget({ tags: ['a'], parts: [{ name: 'x', count: 1 }], free: { any: [1] } })),
      apply('theirs', `${widgets}/one`, widget({ tags: ['b'], parts: [{ name: 'y' }] })),
      apply('ours', `${widgets}/one`, widget({ tags: [], parts: [] })),
      apply('ours', `${widgets}/one`, widget({ unknown: 1 })),
      { ask: `MERGE ${widgets}/one/status?fieldManager=controller`, body: { status: { phase: 'Ready' } } },
      { ask: `MERGE ${widgets}/one?fieldManager=x`, body: { spec: { size: 2 }, status: { phase: 'No' } } },
      { ask: `STRATEGIC ${widgets}/one`, body: {} },
      { ask: 'DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{ns}.example.org', brief: true },
      { ask: `GET ${widgets}/one`, until: 404, brief: true },
    ],
  },
  {
    name: 'lists in pages and by selectors',
    questions: [
      ...['a', 'b', 'c', 'd', 'e'].map((name) => ({
        ask: `POST ${maps}?fieldManager=x`,
        body: map(name, {}, { labels: { tier: name < 'c' ? 'low' : 'high', [`is-${name}`]: '' } }),
      })),
      { ask: `GET ${secrets}?limit=2` },
      { ask: `GET ${maps}?limit=2&labelSelector=tier` },
      { ask: `GET ${maps}?limit=2&labelSelector=tier&continue={6.metadata.continue}` },
      { ask: `GET ${maps}?limit=2&labelSelector=tier&continue={7.metadata.continue}` },
      { ask: `GET ${maps}?labelSelector=tier%3Dlow,is-a` },
      { ask: `GET ${maps}?labelSelector=tier%20notin%20(low),!is-e` },
      { ask: `GET ${maps}?fieldSelector=metadata.name%3Dd` },
      { ask: `GET ${maps}?resourceVersion=999999999&resourceVersionMatch=NotOlderThan&timeoutSeconds=1` },
    ],
  },
  {
    name: 'watches what happens, from a version, and with what there is',
    questions: [
      { ask: `POST ${maps}?fieldManager=x`, body: map('one', { a: '1' }, { labels: { app: 'x' } }) },
      { ask: `MERGE ${maps}/one?fieldManager=x`, body: { data: { a: '2' } } },
      { ask: `MERGE ${maps}/one?fieldManager=x`, body: { metadata: { labels: { app: 'y' } } } },
      { ask: `DELETE ${maps}/one` },
      { ask: `GET ${maps}?watch=1&timeoutSeconds=5&resourceVersion={0.metadata.resourceVersion}`, events: 3 },
      {
        ask: `GET ${maps}?watch=1&timeoutSeconds=5&labelSelector=app%3Dx&resourceVersion={0.metadata.resourceVersion}`,
        events: 2,
      },
      { ask: `POST ${maps}?fieldManager=x`, body: map('two') },
      {
        ask: `GET ${maps}?watch=1&timeoutSeconds=5&fieldSelector=metadata.name%3Dtwo&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
        events: 2,
      },
      { ask: `GET ${maps}?watch=1&timeoutSeconds=5&sendInitialEvents=true` },
    ],
  },
  {
    name: 'fields nobody knows are refused, remarked or dropped',
    questions: [
      { ask: `POST ${maps}?fieldValidation=Strict`, body: { ...map('one'), dataa: {} } },
      { ask: `POST ${maps}?fieldManager=x`, body: { ...map('one'), dataa: {} } },
      { ask: `POST ${maps}?fieldManager=x&fieldValidation=Ignore`, body: { ...map('two'), dataa: {} } },
      { ask: `POST ${maps}`, body: { metadata: {} } },
    ],
  },
  {
    name: 'paths, methods and formats of nothing',
    questions: [
      { ask: 'GET /apis/nowhere.example.org/v1/things' },
      { ask: 'GET /api/v1/namespaces/{ns}/things' },
      { ask: `MERGE ${maps}/one`, type: 'application/json', body: {} },
      { ask: `POST ${maps}/one`, body: map('one') },
      { ask: 'GET /readyz' },
    ],
  },
  {
    name: 'says who somebody is, and what they may not',
    questions: [
      { ask: 'GET /api/v1/namespaces/{ns}/secrets', as: 'limited' },
      { ask: `POST ${maps}`, as: 'limited', body: map('one') },
      { ask: 'GET /apis/apps/v1/deployments', as: 'limited' },
      { ask: 'GET /api/v1/namespaces', headers: { authorization: 'Bearer wrong' } },
      {
        ask: 'POST /apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles',
        body: {
          metadata: { name: 'maps' },
          rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create'] }],
        },
      },
      {
        ask: 'POST /apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings?fieldManager=x',
        body: {
          metadata: { name: 'maps' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maps' },
          subjects: [
            { kind: 'User', name: 'limited' },
            { kind: 'Group', name: 'team' },
          ],
        },
      },
      { ask: `POST ${maps}?fieldManager=x`, as: 'limited', body: map('one'), until: 201 },
      { ask: `DELETE ${maps}/one`, as: 'limited' },
      {
        ask: 'POST /apis/authentication.k8s.io/v1/selfsubjectreviews',
        body: {},
        headers: {
          'impersonate-user': 'ada',
          'impersonate-group': ['team', 'other'],
          'impersonate-extra-scopes': ['a', 'b'],
          'impersonate-uid': '7',
        },
      },
      { ask: `GET ${maps}/one`, headers: { 'impersonate-user': 'ada', 'impersonate-group': ['team'] } },
      { ask: `DELETE ${maps}/one`, headers: { 'impersonate-user': 'ada', 'impersonate-group': ['team'] } },
      { ask: `GET ${maps}/one`, as: 'limited', headers: { 'impersonate-user': 'ada' }, brief: true },
    ],
  },
  {
    name: 'fills in what was not said',
    questions: [
      {
        ask: `POST ${secrets}?fieldManager=x`,
        body: { metadata: { name: 'key' }, stringData: { a: 'b' }, data: { c: 'ZA==' } },
      },
      apply('ours', `${services}/one`, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'one' },
        spec: { selector: { app: 'x' }, ports: [{ port: 80 }] },
      }),
      { ask: `DELETE ${services}/one` },
      apply('ours', '/apis/apps/v1/namespaces/{ns}/statefulsets/db', {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'db' },
        spec: {
          replicas: 0,
          serviceName: 'db',
          selector: { matchLabels: { app: 'db' } },
          template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'db' }] } },
        },
      }),
      apply('ours', '/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies/deny', {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'deny' },
        spec: { podSelector: {} },
      }),
      apply('ours', '/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets/web', {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'web' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
      }),
    ],
  },
  {
    name: 'hands the fields of one manager over to another, which then removes what it does not declare',
    questions: [
      apply('ours', `${maps}/one`, map('one', { a: '1' })),
      {
        ask: `MERGE ${maps}/one?fieldManager=editor`,
        body: { metadata: { labels: { x: 'y' } }, data: { b: '1', c: '1' } },
      },
      {
        ask: `JSON ${maps}/one?fieldManager=ours`,
        body: [
          {
            op: 'replace',
            path: '/metadata/managedFields',
            value: [
              {
                manager: 'ours',
                operation: 'Apply',
                apiVersion: 'v1',
                fieldsType: 'FieldsV1',
                fieldsV1: {
                  'f:data': { 'f:a': {}, 'f:b': {}, 'f:c': {} },
                  'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } },
                },
              },
            ],
          },
          { op: 'replace', path: '/metadata/resourceVersion', value: '{1.metadata.resourceVersion}' },
        ],
      },
      {
        ask: `JSON ${maps}/one?fieldManager=ours`,
        body: [{ op: 'replace', path: '/metadata/resourceVersion', value: '{0.metadata.resourceVersion}' }],
      },
      apply('ours', `${maps}/one`, map('one', { a: '1', b: '2' })),
    ],
  },
  {
    name: 'refuses to change what is settled, kind by kind',
    questions: [
      apply('ours', `${statefulSets}/db`, statefulSet('one')),
      apply('ours', `${statefulSets}/db`, statefulSet('two')),
      // Only the status: admission adds a finalizer, and the message holds a comparison as Go prints it.
      { ...apply('ours', `${claims}/disk`, claim('ReadWriteOnce')), brief: true },
      { ...apply('ours', `${claims}/disk`, claim('ReadWriteMany'), '&force=true'), brief: true },
      apply('ours', `${bindings}/ours`, binding('one')),
      apply('ours', `${bindings}/ours`, binding('two')),
      { ask: `POST ${secrets}?fieldManager=x`, body: { metadata: { name: 'shut' }, immutable: true } },
      { ask: `MERGE ${secrets}/shut`, body: { data: { a: 'YQ==' } } },
    ],
  },
  {
    name: 'refuses what is too long, too large or of another form',
    questions: [
      apply('ours', `${maps}/one`, map('one', {}, { labels: { a: 'x'.repeat(64) } })),
      apply('ours', `${maps}/one`, map('one', {}, { annotations: { a: 'x'.repeat(300_000) } })),
      { ...apply('ours', `${maps}/one`, map('one', { a: 'x'.repeat(3_400_000) })), brief: true },
      apply('ours', `${secrets}/login`, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'login' },
        type: 'kubernetes.io/dockerconfigjson',
        stringData: { '.dockerconfigjson': 'hunter2' },
      }),
    ],
  },
  {
    name: 'a quota that is used up refuses one more',
    questions: [
      {
        ask: 'POST /api/v1/namespaces/{ns}/resourcequotas',
        body: { metadata: { name: 'none' }, spec: { hard: { 'count/services': '0' } } },
        brief: true,
      },
      {
        ask: 'MERGE /api/v1/namespaces/{ns}/resourcequotas/none/status',
        body: { status: { hard: { 'count/services': '0' }, used: { 'count/services': '0' } } },
        brief: true,
      },
      {
        ask: `POST ${services}`,
        body: { metadata: { name: 'over' }, spec: { ports: [{ port: 80 }] } },
        until: 403,
      },
    ],
  },
  {
    name: 'a watch from the future is silent, and one from nowhere is refused',
    questions: [
      { ask: `GET ${maps}?watch=1&timeoutSeconds=1&resourceVersion=999999999`, events: 1 },
      { ask: `GET ${maps}?watch=1&timeoutSeconds=1&resourceVersion=nonsense`, events: 1 },
      { ask: `GET ${maps}?resourceVersion=nonsense` },
    ],
  },
  {
    name: 'applies what means nothing: nulls, and the status of a kind that has a door for it',
    questions: [
      apply('ours', `${maps}/one`, map('one', { a: null, b: '1' }, { creationTimestamp: null, labels: { x: null } })),
      apply('ours', `${deployments}/web`, { ...deployment({ replicas: 0 }), status: { replicas: 5 } }),
      apply('ours', `${deployments}/web/status`, { ...deployment({ replicas: 7 }), status: { replicas: 5 } }),
    ],
  },
  {
    name: 'what was applied as stringData stays when it is left out',
    questions: [{ a: 'x', b: 'y' }, { a: 'z' }].map((stringData) =>
      apply('ours', `${secrets}/key`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData }),
    ),
  },
  {
    name: 'amounts that mean the same are in conflict when they are written in another way',
    questions: ['0.1', '100m', '0.1'].map((cpu, index) =>
      apply(
        index === 0 ? 'ours' : 'theirs',
        `${deployments}/web`,
        deployment({ replicas: 0 }, { resources: { requests: { cpu } } }),
      ),
    ),
  },
  {
    name: 'whoever owns the finalizer of what is being deleted, and leaves it out, ends it',
    questions: [
      apply('ours', `${maps}/one`, map('one', {}, { finalizers: ['example.org/held'] })),
      { ask: `DELETE ${maps}/one` },
      apply('ours', `${maps}/one`, map('one')),
      { ask: `GET ${maps}/one` },
    ],
  },
  {
    name: 'of more than ten who change an object, the oldest become one',
    questions: [
      { ask: `POST ${maps}?fieldManager=m00`, body: map('one', { m00: '1' }) },
      ...Array.from({ length: 12 }, (_, index) => {
        const manager = `m${String(index + 1).padStart(2, '0')}`
        return {
          ask: `MERGE ${maps}/one?fieldManager=${manager}`,
          body: { data: { [manager]: '1' } },
          brief: true as const,
        }
      }),
      { ask: `GET ${maps}/one` },
    ],
  },
]

const uncached: readonly Omit<Story, 'how'>[] = [
  {
    name: 'what was forgotten has expired: pages, watches and lists of an old version',
    questions: [
      ...['a', 'b', 'c'].map((name) => ({ ask: `POST ${maps}?fieldManager=x`, body: map(name) })),
      { ask: `GET ${maps}?limit=1` },
      { ask: `POST ${maps}?fieldManager=x`, body: map('d') },
      { ask: COMPACT },
      { ask: `GET ${maps}?limit=1&continue={3.metadata.continue}` },
      { ask: `GET ${maps}?limit=2&continue={6.metadata.continue}` },
      { ask: `GET ${maps}?limit=2&continue={7.metadata.continue}` },
      { ask: `GET ${maps}?watch=1&timeoutSeconds=5&resourceVersion={0.metadata.resourceVersion}`, events: 1 },
      { ask: `GET ${maps}?resourceVersionMatch=Exact&resourceVersion={0.metadata.resourceVersion}` },
      { ask: `GET ${maps}?resourceVersion={4.metadata.resourceVersion}&resourceVersionMatch=NotOlderThan` },
    ],
  },
]

/** What a client of a cluster may ask; answered by a real server, and the same by the one in memory. */
export const stories: readonly Story[] = [
  ...usual.map((story) => ({ ...story, how: 'usual' as const })),
  ...uncached.map((story) => ({ ...story, how: 'without a cache' as const })),
]
