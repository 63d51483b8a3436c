import { type Snapshot, type Target, memorySource } from '@gitops-sdk/core'
import { testCall, testTargetConformance } from '@gitops-sdk/core/testing'
import { describe, expect, test } from 'vitest'
import { memoryClient } from './client.ts'
import { itemTarget } from './target.ts'

async function declared(text: string): Promise<Snapshot> {
  const source = memorySource({ files: { 'items.yaml': text } })
  return source.snapshot(await source.resolve(testCall()), testCall())
}

type Opened = Target & { readonly client: ReturnType<typeof memoryClient> }
const open = (client: ReturnType<typeof memoryClient>): Opened => ({ ...itemTarget(client), client })

describe('the target is a target', async () => {
  testTargetConformance({
    test,
    createTarget: () => open(memoryClient()),
    snapshot: await declared('name: first\nsize: 1\n---\nname: second\nsize: 2\n'),
    nextSnapshot: await declared('name: first\nsize: 3\n'),
    drift: ({ client }) => void client.items.set('first', { body: { size: 9 }, managedBy: 'conformance' }),
    breakReads: ({ client }) => void (client.broken = true),
    reopenTarget: ({ client }) => open(client),
  })
})

test('a name that the system would not take is refused with its place', async () => {
  const declaring = itemTarget(memoryClient()).declare(await declared('# items\nname: Not Good\n'), testCall())
  await expect(declaring).rejects.toMatchObject({
    code: 'DECLARATION_INVALID',
    message: expect.stringMatching(/items\.yaml:2:7/),
  })
})
