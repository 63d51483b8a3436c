import { readFile } from 'node:fs/promises'
import { type RecordedCommand, scriptedTerraform } from '@gitops-sdk/terraform-adapter/testing'
import { test } from 'vitest'
import { expectDelivered } from './expectations.ts'
import { tell } from './story.ts'

test('outputs of Terraform arrive in Kubernetes with their types, follow a change, and a secret one shows nowhere', async () => {
  const recording: readonly RecordedCommand[] = JSON.parse(
    await readFile(new URL('../test/recording.json', import.meta.url), 'utf8'),
  )
  expectDelivered(await tell(scriptedTerraform(recording)))
})
