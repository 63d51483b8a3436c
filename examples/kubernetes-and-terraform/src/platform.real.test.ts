import { writeFile } from 'node:fs/promises'
import { type RecordedCommand, findBinary, recordTerraform } from '@gitops-sdk/terraform-adapter/testing'
import { test } from 'vitest'
import { expectDelivered } from './expectations.ts'
import { tell } from './story.ts'

// With RECORD_TERRAFORM=1 it writes down what platform.test.ts plays.
test('the same with the real binary', async () => {
  const binary = findBinary()
  if (binary === undefined) throw new Error('No binary. Run `npx -y pnpm@12 terraform:install`, or set TERRAFORM_BIN.')
  const recording: RecordedCommand[] = []
  expectDelivered(await tell(recordTerraform(binary, recording)))
  if (process.env['RECORD_TERRAFORM'] !== undefined)
    await writeFile(new URL('../test/recording.json', import.meta.url), `${JSON.stringify(recording, undefined, 1)}\n`)
})
