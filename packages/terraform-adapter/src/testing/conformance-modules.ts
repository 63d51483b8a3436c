import { type Snapshot, createCall, memorySource } from '@gitops-sdk/core'
import { fakeProviderSource } from './fake-cloud-provider.ts'
import { record } from './stage.ts'

const requirement = `terraform {\n  required_providers {\n    fake = {\n      source = "${fakeProviderSource}"\n    }\n  }\n}\n`

/** What the conformance suite declares, and what it declares next. The recordings are made from the same. */
export async function conformanceModules(): Promise<{ readonly snapshot: Snapshot; readonly nextSnapshot: Snapshot }> {
  const a = (value: string): string => record('a', { name: '"a"', value, secret: '"opensesame"' })
  const b = record('b', { name: '"b"', value: 'fake_record.a.id' })
  return { snapshot: await snapshotOf(a('"1"') + b), nextSnapshot: await snapshotOf(a('"2"')) }
}

async function snapshotOf(text: string): Promise<Snapshot> {
  const source = memorySource({ files: { 'main.tf': requirement + text } })
  return source.snapshot(await source.resolve(createCall()), createCall())
}
