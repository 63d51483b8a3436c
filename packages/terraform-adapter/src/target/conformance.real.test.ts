import { createCall, memorySource, type Snapshot, type Target } from '@gitops-sdk/core'
import { testTargetConformance } from '@gitops-sdk/core/testing'
import { test } from 'vitest'
import { type Stage, openStage, record } from '../testing/stage.ts'

const requirement = `terraform {\n  required_providers {\n    fake = {\n      source = "example.test/gitops/fake"\n    }\n  }\n}\n`

const first = await snapshotOf(
  record('a', { name: '"a"', value: '"1"', secret: '"opensesame"' }) +
    record('b', { name: '"b"', value: 'fake_record.a.id' }),
)
const next = await snapshotOf(record('a', { name: '"a"', value: '"2"', secret: '"opensesame"' }))

async function snapshotOf(text: string): Promise<Snapshot> {
  const source = memorySource({ files: { 'main.tf': requirement + text } })
  return source.snapshot(await source.resolve(createCall()), createCall())
}

/** The stage of each target, closed with it. */
const stages = new WeakMap<Target, Stage>()

async function createTarget(): Promise<Target> {
  const stage = await openStage({})
  return onStage(stage, true)
}

function onStage(stage: Stage, isFirst: boolean): Target {
  const made = stage.target()
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
  test,
  createTarget,
  snapshot: first,
  nextSnapshot: next,
  drift: (target) => {
    stages.get(target)!.provider.cloud.find('a')!.value = 'by hand'
  },
  breakReads: async (target) => {
    await stages.get(target)!.provider[Symbol.asyncDispose]()
  },
  reopenTarget: (target) => onStage(stages.get(target)!, false),
})
