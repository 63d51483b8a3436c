import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Target } from '@gitops-sdk/core'
import { testTargetConformance } from '@gitops-sdk/core/testing'
import { afterAll, test } from 'vitest'
import { processCli } from '../cli/process.ts'
import { conformanceModules } from '../testing/conformance-modules.ts'
import { findBinary } from '../testing/find-binary.ts'
import { type RecordedCommand, recordTerraform } from '../testing/scripted-terraform.ts'
import { type Stage, openStage } from '../testing/stage.ts'

/** The stage of each target, closed with it. */
const stages = new WeakMap<Target, Stage>()
/** What the binary did in each test, by its name. */
const recordings: Record<string, RecordedCommand[]> = {}
let current: RecordedCommand[] = []

function onStage(stage: Stage, isFirst: boolean): Target {
  const made = stage.target({ binary: recordTerraform(processCli(findBinary()!), current) })
  const target: Target = {
    ...made,
    async [Symbol.asyncDispose]() {
      await made[Symbol.asyncDispose]?.()
      if (isFirst) await stage[Symbol.asyncDispose]()
    },
  }
  stages.set(target, stage)
  return target
}

testTargetConformance({
  test: (name, run) =>
    test(name, () => {
      current = recordings[name] = []
      return run()
    }),
  createTarget: async () => onStage(await openStage({}), true),
  ...(await conformanceModules()),
  drift: (target) => {
    stages.get(target)!.provider.cloud.find('a')!.value = 'by hand'
  },
  breakReads: (target) => {
    stages.get(target)!.provider.cloud.outage = 'the cloud does not answer'
  },
  reopenTarget: (target) => onStage(stages.get(target)!, false),
})

// RECORD_TERRAFORM=1 pnpm test:terraform writes what the suite without a binary plays.
afterAll(async () => {
  if (process.env['RECORD_TERRAFORM'] === undefined) return
  const path = fileURLToPath(new URL('../../test/recordings.ndjson', import.meta.url))
  const lines = Object.entries(recordings).map(([name, commands]) => JSON.stringify({ test: name, commands }))
  await writeFile(path, `${lines.join('\n')}\n`)
})
