import { expect, test } from 'vitest'
import { describe } from './describe.ts'
import type { Change, Drift, Plan } from './plan.ts'

const orders = { kind: 'queue', namespace: 'shop', name: 'orders' }
const update: Change = {
  ref: orders,
  action: 'update',
  cause: 'both',
  origin: { path: 'deploy/orders.yaml', line: 4 },
  step: { phase: 'Sync', wave: 0 },
  fields: [
    {
      path: '/size',
      op: 'replace',
      before: 9,
      after: 3,
      cause: 'drift',
      actor: { name: 'maria', via: 'console', confidence: 'certain' },
    },
    {
      path: '/password',
      op: 'replace',
      before: { redacted: 'aaaabbbbcccc' },
      after: { redacted: 'ddddeeeeffff' },
      cause: 'revision',
      sensitive: true,
    },
    { path: '/tags/1', op: 'remove', before: 'old', cause: 'revision' },
  ],
}
const drift: Drift = {
  ref: orders,
  kind: 'modified',
  fields: [update.fields[0]!],
  actor: { name: 'maria', via: 'console', confidence: 'certain' },
  firstSeenAt: Date.UTC(2030, 0, 2, 3, 4, 5),
  healed: true,
}
const empty: Plan = {
  application: 'shop',
  revision: { id: '3f2a91c0'.repeat(5), name: 'main' },
  mode: 'converge',
  effect: 'none',
  complete: true,
  changes: [],
  drift: [],
  ignored: [],
  blocked: [],
  warnings: [],
  basis: { digest: 'd', version: 'v' },
  fingerprint: 'f',
}
const plan: Plan = {
  ...empty,
  effect: 'changes',
  changes: [
    update,
    {
      ref: { kind: 'queue', name: 'new' },
      action: 'create',
      cause: 'revision',
      origin: { path: 'new.yaml' },
      step: { phase: 'Sync', wave: 1 },
      fields: [{ path: '/size', op: 'add', after: 1 }],
    },
    {
      ref: { kind: 'queue', name: 'gone' },
      action: 'delete',
      cause: 'revision',
      step: { phase: 'Sync', wave: 1 },
      fields: [],
    },
  ],
  drift: [drift],
  ignored: [{ ref: orders, path: '/replicas', rule: 'autoscaler' }],
  blocked: [
    { ref: orders, rule: 'prune-disabled', message: 'queue old is not deleted: pruning is off. Turn `prune` on.' },
  ],
  warnings: ['two files are empty'],
}

test('a plan as text', () => {
  expect(describe(plan)).toBe(`shop at main (3f2a91c0): 1 to create, 1 to update, 1 to delete

Sync wave 0
  ~ update queue shop/orders  deploy/orders.yaml:4  (declared anew and drifted)
      /size: 9 → 3  (drifted, by maria via console)
      /password: (secret aaaabbbb) → (secret ddddeeee)  (declared anew)
      /tags/1: "old" → removed  (declared anew)

Sync wave 1
  + create queue new  new.yaml
      /size: 1
  - delete queue gone

Drift
  queue shop/orders was modified by maria via console since 2030-01-02T03:04:05.000Z: /size is 9, declared 3; healed by this plan

Ignored
  queue shop/orders /replicas (autoscaler)

Blocked
  queue old is not deleted: pruning is off. Turn \`prune\` on. (prune-disabled)

Remarks
  two files are empty`)
})

test('a plan as Markdown', () => {
  expect(describe(plan, { format: 'markdown' })).toBe(`### shop at main \\(3f2a91c0\\)

**1 to create, 1 to update, 1 to delete**

#### Sync wave 0

- **update** \`queue shop/orders\` · \`deploy/orders.yaml:4\` · declared anew and drifted

  \`\`\`diff
  - /size: 9
  + /size: 3  (drifted, by maria via console)
  - /password: (secret aaaabbbb)
  + /password: (secret ddddeeee)  (declared anew)
  - /tags/1: "old"  (declared anew)
  \`\`\`

#### Sync wave 1

- **create** \`queue new\` · \`new.yaml\` · declared anew

  \`\`\`diff
  + /size: 1
  \`\`\`

- **delete** \`queue gone\` · declared anew

#### Drift

- queue shop/orders was modified by maria via console since 2030-01-02T03:04:05.000Z: /size is 9, declared 3; healed by this plan

#### Ignored

- queue shop/orders /replicas \\(autoscaler\\)

#### Blocked

- queue old is not deleted: pruning is off. Turn \\\`prune\\\` on. \\(prune-disabled\\)

#### Remarks

- two files are empty
`)
})

test.each<[string, Partial<Plan>, string]>([
  ['nothing to do', {}, 'shop at main (3f2a91c0): nothing to do'],
  ['not complete', { complete: false }, 'shop at main (3f2a91c0): nothing to do\nThis plan is not complete.'],
  [
    'destroy',
    { mode: 'destroy', changes: [plan.changes[2]!] },
    'shop at main (3f2a91c0): destroy: 1 to delete\n\n  - delete queue gone',
  ],
  ['accepting drift', { mode: 'accept-drift' }, 'shop at main (3f2a91c0): accepts actual state as it is'],
])('%s', (_, more, expected) => {
  expect(describe({ ...empty, ...more })).toBe(expected)
})

test('a secret inside a value is marked there', () => {
  const data = { user: 'shop', password: { redacted: 'aaaabbbbcccc' } }
  const text = describe({
    ...empty,
    changes: [{ ...update, fields: [{ path: '/data', op: 'add', after: data, sensitive: true }] }],
  })
  expect(text).toContain('/data: {"user":"shop","password":"(secret aaaabbbb)"}')
})

test('a drift is one sentence', () => {
  expect(describe([{ ref: orders, kind: 'missing', fields: [], healed: false }])).toBe(
    'queue shop/orders was deleted; not healed',
  )
})

test('colours can be turned on, and the words stay the same', () => {
  const coloured = describe(plan, { colour: true })
  expect(coloured).toContain('\u001b[32m+ create queue new\u001b[0m')
  // oxlint-disable-next-line no-control-regex -- colours are what is taken out
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(describe(plan))
})

test('nothing in a plan can command a terminal or a page', () => {
  const evil = '\u001b[2J\u202e`x`\n# title <script>alert(1)</script> | ![](http://x)'
  const change: Change = {
    ...update,
    ref: { kind: 'queue', name: evil },
    fields: [{ path: `/${evil}`, op: 'add', after: evil }],
    origin: { path: evil },
    reason: evil,
  }
  const evilPlan: Plan = {
    ...empty,
    application: evil,
    changes: [change],
    warnings: [evil],
    drift: [{ ...drift, ref: { kind: 'q', name: evil } }],
  }
  const text = describe(evilPlan)
  const markdown = describe(evilPlan, { format: 'markdown' })
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  expect(text + markdown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
  const outsideCode = markdown.replace(/```diff[\s\S]*?```/g, '').replace(/(`+)[^`][\s\S]*?[^`]\1(?!`)/g, '')
  expect(outsideCode).not.toMatch(/(^|[^\\])<script|^# title/m)
})

test('long values and many fields are cut', () => {
  const fields = Array.from({ length: 50 }, (_, index) => ({
    path: `/f${index}`,
    op: 'add' as const,
    after: 'x'.repeat(500),
  }))
  const text = describe({ ...empty, changes: [{ ...update, fields }] })
  expect(text).toContain('… (502 characters)')
  expect(text).toContain('and 10 more fields')
})
