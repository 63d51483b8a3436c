import { readdir } from 'node:fs/promises'
import { type ApplicationEvent, createReconciler, memoryLedger, memorySource, outputOf } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { openStage, record } from '../testing/stage.ts'

const network = `resource "terraform_data" "x" {
  input = "net-1"
}
variable "token" {
  type      = string
  sensitive = true
}
output "id" {
  value = terraform_data.x.output
}
output "zones" {
  value = ["a", "b"]
}
output "token" {
  value     = var.token
  sensitive = true
}
`
const shop = `variable "network" {
  type = string
}
variable "zones" {
  type = list(string)
}
variable "token" {
  type      = string
  sensitive = true
}
${record('a', { name: '"a"', value: 'format("%s/%d", var.network, length(var.zones))', secret: 'var.token' })}`

test('outputs are typed inputs of other applications, a sensitive one shows nowhere, and a change of one is planned', async () => {
  await using stage = await openStage({ 'main.tf': shop })
  const networks = memorySource({ files: { 'main.tf': network } })
  const events: ApplicationEvent[] = []
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [
      {
        name: 'network',
        source: networks,
        target: stage.target({ variables: { token: 'canary-of-outputs' } }),
        policy: { intervalMs: 0 },
      },
      {
        name: 'shop',
        source: stage.source,
        dependsOn: ['network'],
        target: stage.target({
          variables: {
            network: outputOf('network', 'id'),
            zones: outputOf('network', 'zones'),
            token: outputOf('network', 'token'),
          },
        }),
        policy: { intervalMs: 0 },
      },
    ],
  })
  reconciler.onAny((event) => void events.push(event))
  expect((await reconciler.reconcile('network')).error).toBeUndefined()
  const first = await reconciler.reconcile('shop')
  expect(first.error).toBeUndefined()
  const { cloud } = stage.provider
  expect(cloud.find('a')).toMatchObject({ value: 'net-1/2', secret: 'canary-of-outputs' })
  networks.commit({ 'main.tf': network.replace('net-1', 'net-2') })
  expect((await reconciler.reconcile('network')).error).toBeUndefined()
  expect((await reconciler.reconcile('shop')).error).toBeUndefined()
  expect(cloud.find('a')?.value).toBe('net-2/2')
  expect(JSON.stringify([events, first])).not.toContain('canary-of-outputs')
})

test('working folders are private to their user, and gone when the target is', async () => {
  await using stage = await openStage({ 'main.tf': record('a', { name: '"a"' }) })
  const reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'shop', source: stage.source, target: stage.target(), policy: { intervalMs: 0 } }],
  })
  await reconciler.reconcile('shop')
  stage.provider.cloud.faults.set('a', { error: 'quota exceeded' })
  stage.source.commit({ 'main.tf': record('a', { name: '"a"', value: '"2"' }) })
  expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'failed' })
  await reconciler[Symbol.asyncDispose]()
  const left = await readdir(stage.folder, { recursive: true })
  expect(left.filter((name) => /\.tf$|tfvars|plan$|home|stdout|run\.json/.test(name))).toEqual([])
})
