import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Target } from '@gitops-sdk/core'
import { testTargetConformance } from '@gitops-sdk/core/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Cli } from '../cli/cli.ts'
import { conformanceModules } from '../testing/conformance-modules.ts'
import { type RecordedCommand, scriptedTerraform } from '../testing/scripted-terraform.ts'
import { terraformTarget } from './target.ts'

// The suite over what the real binary did: see conformance.real.test.ts, which records it.
const path = new URL('../../test/recordings.ndjson', import.meta.url)
const recordings = new Map(
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly test: string; readonly commands: readonly RecordedCommand[] })
    .map((each) => [each.test, each.commands]),
)

let root = ''
beforeAll(() => void (root = mkdtempSync(join(tmpdir(), 'scripted-terraform-'))))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let script: Cli = scriptedTerraform([])
let folder = ''
let tests = 0
const open = (): Target => terraformTarget({ binary: script, folder, lockTimeoutMs: 0 })

testTargetConformance({
  test: (name, run) =>
    test(name, async () => {
      script = scriptedTerraform(recordings.get(name) ?? [])
      folder = join(root, String(tests++))
      await run()
    }),
  createTarget: open,
  ...(await conformanceModules()),
  // What happened outside is in the recording.
  drift: () => {},
  breakReads: () => {},
  reopenTarget: open,
})

test('another command than the recorded one is refused, and both are named', async () => {
  const cli = scriptedTerraform([{ args: ['init'], exitCode: 0, stdout: '', stderr: '' }])
  const command = { args: ['destroy'], folder, environment: {}, streams: 'memory' as const, graceMs: 0 }
  await expect(cli.run(command, {} as never)).rejects.toThrow('holds `init`, but `destroy` was run')
})
