import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memorySource, type Snapshot } from '@gitops-sdk/core'
import { testCall, testTargetConformance } from '@gitops-sdk/core/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { flagTarget } from './flag-target.ts'

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flags-'))
  folders.push(folder)
  return folder
}

async function declared(text: string): Promise<Snapshot> {
  const source = memorySource({ files: { 'flags.yaml': text } })
  return source.snapshot(await source.resolve(testCall()), testCall())
}

describe('the feature-flag target is a target', async () => {
  testTargetConformance({
    test,
    createTarget: async () => flagTarget(join(await emptyFolder(), 'made-when-needed')),
    snapshot: await declared('flag: checkout\nenabled: true\nrollout: 25\n---\nflag: search\nenabled: false\n'),
    nextSnapshot: await declared('flag: checkout\nenabled: true\nrollout: 50\n'),
    drift: ({ id }) => writeFile(join(id, 'checkout.json'), '{ "enabled": false, "managedBy": "conformance" }'),
    breakReads: ({ id }) => writeFile(join(id, 'checkout.json'), '{ "enabled": '),
    reopenTarget: ({ id }) => flagTarget(id),
  })
})

test('a name that could leave the folder is refused, with its place', async () => {
  const target = flagTarget(await emptyFolder())
  const declaring = target.declare(await declared('# flags\nflag: ../../etc/passwd\n'), testCall())
  await expect(declaring).rejects.toMatchObject({
    code: 'DECLARATION_INVALID',
    message: expect.stringContaining('flags.yaml:2:7'),
  })
})

test('the whole adapter has at most 60 lines of code', async () => {
  const text = await readFile(new URL('flag-target.ts', import.meta.url), 'utf8')
  const withoutComments = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const lines = withoutComments.split('\n').filter((line) => line.trim() !== '')
  expect(lines.length).toBeLessThanOrEqual(60)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120)
})
