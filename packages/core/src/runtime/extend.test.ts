import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { resource } from '../desired/build.ts'
import { extend } from './extend.ts'

test('members are added, or stand instead, and the given value stays as it is', () => {
  const given = { name: 'web', size: 1 }
  expect(extend(given, { size: 2, on: true })).toEqual({ name: 'web', size: 2, on: true })
  expect(given).toEqual({ name: 'web', size: 1 })
})

test('resources made one after another share a hidden class', () => {
  setFlagsFromString('--allow-natives-syntax')
  const haveSameMap: (left: object, right: object) => boolean = runInThisContext(
    '(left, right) => %HaveSameMap(left, right)',
  )
  const [first, ...others] = Array.from({ length: 100 }, (_, index) =>
    resource({ ref: { kind: 'flag', name: `flag-${index}` }, body: { on: true } }),
  )
  expect(others.filter((each) => !haveSameMap(first!, each))).toEqual([])
})
