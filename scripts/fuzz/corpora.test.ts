import { readdirSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { attempt } from './attempt.ts'
import { fileNameOf, savedCorpus } from './corpus.ts'
import { readRecord } from './record.ts'
import { fuzzTargets } from './targets.ts'

const folder = new URL('./corpora/', import.meta.url)

describe.each(fuzzTargets)('$name', (target) => {
  test('whatever the fuzzer kept is taken, or refused with a code', async () => {
    const corpus = savedCorpus(target)
    expect(corpus.length).toBeGreaterThan(2)
    for (const bytes of [...target.corpus, ...corpus]) expect(await attempt(target, bytes)).toBeUndefined()
  })

  test('was tried a million times, and no failure is left', () => {
    const mine = readRecord().filter((tried) => tried.target === target.name)
    expect(mine.reduce((sum, { executions }) => sum + executions, 0)).toBeGreaterThanOrEqual(1_000_000)
    expect(mine.filter(({ failures }) => failures > 0)).toEqual([])
  })
})

test('the corpora are small, and each belongs to a target', () => {
  const files = readdirSync(folder)
  expect(files.toSorted()).toEqual(fuzzTargets.map(fileNameOf).toSorted())
  expect(files.reduce((sum, name) => sum + statSync(new URL(name, folder)).size, 0)).toBeLessThan(300_000)
})
