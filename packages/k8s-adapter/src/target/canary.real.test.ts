import { inspect } from 'node:util'
import { createCall, createReconciler, memoryLedger, memorySource } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { stagePlane } from '../../test/plane.ts'
import { startControlPlane } from '../testing/control-plane.ts'
import { kubernetesTarget } from './target.ts'

const { connection, freshNamespace, edit, read } = stagePlane(startControlPlane)

const canary = 'canary-9f8e7d6c5b4a'
const forms = (text: string): readonly string[] => [text, btoa(text), encodeURIComponent(btoa(text))]
const secret = (field: string, value: string, more = ''): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: app}\n${more}${field}: {password: ${JSON.stringify(value)}}\n`

test('Q18 canary: a Secret lives a whole life on a real API server, and shows nowhere', async () => {
  const namespace = await freshNamespace()
  const path = `/api/v1/namespaces/${namespace}/secrets/app`
  const source = memorySource({ files: { 'app.yaml': secret('stringData', canary) } })
  const target = kubernetesTarget({ connection: connection(), owner: 'test', namespaces: { default: namespace } })
  const ledger = memoryLedger()
  const said: unknown[] = []
  const write = (...line: readonly unknown[]): void => void said.push(line)
  const log = { debug: write, info: write, warn: write, error: write }
  const application = { name: 'shop', source, target, policy: { prune: true, allowEmpty: true } }
  const reconciler = createReconciler({ applications: [application], ledger, log })
  reconciler.onAny((event) => void said.push(event))
  const outcomes: string[] = []
  const run = async (): Promise<void> => {
    said.push(await reconciler.plan('shop').catch((error: unknown) => error))
    const result = await reconciler.reconcile('shop')
    outcomes.push(result.outcome)
    said.push(result, reconciler.status('shop'))
  }

  await run()
  expect(await read(path)).toMatchObject({ data: { password: btoa(canary) } })
  source.commit({ 'app.yaml': secret('stringData', `${canary}-changed`) })
  await run()
  await edit(path, { data: { password: btoa(`${canary}-drifted`), extra: btoa(`${canary}-extra`) } })
  await run()
  source.commit({ 'app.yaml': secret('data', `not base64: ${canary}`) })
  await run()
  source.commit({ 'app.yaml': secret('stringData', canary, `type: kubernetes.io/dockerconfigjson\n`) })
  await run()
  source.commit({ 'app.yaml': null, 'other.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n' })
  await run()
  for await (const record of reconciler.history()) said.push(record)
  for await (const record of reconciler.audit()) said.push(record)
  said.push(await ledger.read('shop', createCall()))
  await reconciler[Symbol.asyncDispose]()

  const printed = `${inspect(said, { depth: null, maxArrayLength: null, maxStringLength: null })}\n${JSON.stringify(said)}`
  const hits = [canary, `${canary}-changed`, `${canary}-drifted`, `${canary}-extra`]
    .flatMap(forms)
    .filter((form) => printed.includes(form))
  expect(hits).toEqual([])
  expect(outcomes).toContain('applied')
  expect(outcomes).toContain('failed')
})
