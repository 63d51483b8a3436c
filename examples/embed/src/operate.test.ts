import { once } from 'node:events'
import { Writable } from 'node:stream'
import { createReconciler, memoryLedger, memorySource } from '@gitops-sdk/core'
import { memoryTarget } from '@gitops-sdk/core/testing'
import pino from 'pino'
import { expect, test } from 'vitest'
import { observe, serveMetrics } from './operate.ts'

test('a service shows what its reconciler does, in its log and on a page for Prometheus', async () => {
  let written = ''
  const stream = new Writable({ write: (chunk, _encoding, done) => ((written += String(chunk)), done()) })
  const log = pino(stream)
  const source = memorySource({ files: { 'flag/checkout.json': { on: true } } })
  await using reconciler = createReconciler({
    applications: [{ name: 'flags', source, target: memoryTarget() }],
    ledger: memoryLedger(),
    log,
  })
  observe(reconciler, log)
  const server = serveMetrics(reconciler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await reconciler.reconcile('flags')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  server.close()
  expect(page).toContain(
    'gitops_changes_total{cicd_pipeline_name="flags",gitops_action="create",gitops_status="succeeded"} 1',
  )
  const ready = written.split('\n').find((line) => line.includes('"event":"ready"'))
  expect(JSON.parse(ready ?? '')).toMatchObject({
    level: 30,
    application: 'flags',
    msg: expect.stringContaining('is ready at'),
  })
})
