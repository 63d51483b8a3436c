import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const demo = fileURLToPath(new URL('demo.ts', import.meta.url))
const manifests = fileURLToPath(new URL('../manifests', import.meta.url))

test('reconciles a folder of manifests into a server in memory where no cluster is named', async () => {
  const args = ['--import', 'tsx', '--conditions=@gitops-sdk/source', demo, '--repo', manifests]
  const env = { ...process.env, KUBECONFIG: '' }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  expect(stdout).toContain('3 to create')
  expect(stdout).toContain('in memory: applied')
})
