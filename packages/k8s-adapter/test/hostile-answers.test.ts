import { inspect } from 'node:util'
import { type ApplicationEvent, type JsonObject, createReconciler, memoryLedger, memorySource } from '@gitops-sdk/core'
import { describe, expect, test } from 'vitest'
import { kubernetesTarget } from '../src/index.ts'
import { type Admission, type MemoryApiServer, memoryApiServer } from '../src/testing.ts'

const canary = 'canary-3c2b1a0f9e8d'
const forms = [canary, btoa(canary), JSON.stringify({ password: canary })]
const secret = (value: string, more = ''): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: app${more}}\nstringData: {password: ${value}}\n`
const map = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`

/** An application on a server in memory, and everything it says. */
async function shop(server: MemoryApiServer, files: Readonly<Record<string, string>>) {
  const said: unknown[] = []
  const write = (...line: readonly unknown[]): void => void said.push(line)
  const source = memorySource({ files })
  const target = kubernetesTarget({ connection: server.connection(), owner: 'test', settleMs: 100 })
  const reconciler = createReconciler({
    ledger: memoryLedger(),
    log: { debug: write, info: write, warn: write, error: write },
    applications: [{ name: 'shop', source, target, policy: { prune: true, selfHeal: true, retry: { limit: 0 } } }],
  })
  reconciler.onAny((event: ApplicationEvent) => void said.push(event))
  const run = async (): Promise<string> => {
    said.push(await reconciler.plan('shop').catch((error: unknown) => error))
    const result = await reconciler.reconcile('shop', { refresh: true })
    said.push(result, reconciler.status('shop'), reconciler.explain('shop'))
    return result.outcome
  }
  const printed = (): string =>
    `${inspect(said, { depth: null, maxStringLength: null, maxArrayLength: null })}\n${JSON.stringify(said)}`
  return { source, run, printed, [Symbol.asyncDispose]: () => reconciler[Symbol.asyncDispose]() }
}

/** A webhook that copies what is secret to where nobody looks for it. */
const copyCat: Admission = ({ kind, object }) => {
  if (kind !== 'Secret') return undefined
  const metadata = object['metadata'] as JsonObject
  const copy = JSON.stringify(object['data'] ?? {})
  const annotations = {
    ...(metadata['annotations'] as JsonObject | undefined),
    'kubectl.kubernetes.io/last-applied-configuration': copy,
    'webhook.example/copy': copy,
  }
  return { ...object, metadata: { ...metadata, annotations } }
}

describe('K08: a Secret stays masked', () => {
  test('where a webhook copies it into annotations, in a dry run and for good', async () => {
    await using server = await memoryApiServer({ admit: copyCat })
    await using it = await shop(server, { 'a.yaml': secret(canary), 'b.yaml': map('one') })
    expect(await it.run()).toBe('applied')
    expect(JSON.stringify(server.get('v1', 'Secret', 'app', 'default'))).toContain('last-applied-configuration')
    it.source.commit({ 'a.yaml': secret(`${canary}-next`, ', annotations: {"webhook.example/copy": "mine"}') })
    await it.run()
    const found = server.get('v1', 'Secret', 'app', 'default') as JsonObject
    server.put({ ...found, data: { password: btoa(`${canary}-drift`) } })
    await it.run()
    it.source.commit({ 'a.yaml': null })
    expect(await it.run()).toBe('applied')
    const printed = it.printed()
    expect(
      [...forms, btoa(`${canary}-next`), btoa(`${canary}-drift`)].filter((form) => printed.includes(form)),
    ).toEqual([])
    expect(printed.length).toBeGreaterThan(5_000)
  })

  test('where kubectl left it in an annotation before', async () => {
    await using server = await memoryApiServer()
    await using it = await shop(server, { 'b.yaml': map('one') })
    await it.run()
    const left = JSON.stringify({ data: { password: btoa(canary) } })
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': left }
    server.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'app', namespace: 'default', annotations } })
    it.source.commit({
      'a.yaml': secret('other', ', annotations: {"kubectl.kubernetes.io/last-applied-configuration": "{}"}'),
    })
    await it.run()
    expect(forms.filter((form) => it.printed().includes(form))).toEqual([])
  })
})

describe('K06: what a server says is cut and keeps no secret', () => {
  const refusals: readonly (readonly [what: string, status: number, reason: string])[] = [
    ['a value that is invalid', 422, 'Invalid'],
    ['a conflict', 409, 'Conflict'],
    ['a webhook that denies', 403, 'Forbidden'],
    ['a server that broke', 500, 'InternalError'],
  ]
  test.each(refusals)('%s, in a megabyte that quotes it', async (_what, code, reason) => {
    await using server = await memoryApiServer()
    await using it = await shop(server, { 'b.yaml': map('one') })
    await it.run()
    const causes = [{ reason: 'FieldValueInvalid', field: 'data[password]', message: `Invalid value: "${canary}"` }]
    const message = `${btoa(canary)} ${canary} ${'x'.repeat(2 ** 20)} ${canary}`
    const body: JsonObject = { kind: 'Status', status: 'Failure', code, reason, message, details: { causes } }
    server.inject({
      when: ({ method, path }) => method !== 'GET' && path.includes('/secrets'),
      times: 100,
      answer: { status: code, body },
    })
    it.source.commit({ 'a.yaml': secret(canary) })
    const before = it.printed().length
    await it.run()
    const printed = it.printed()
    expect(printed).toMatch(/TARGET_|PLAN_STALE/)
    expect(forms.filter((form) => printed.includes(form))).toEqual([])
    expect(printed.length - before).toBeLessThan(100_000)
  })
})
