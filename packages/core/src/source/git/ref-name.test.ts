import { expect, test } from 'vitest'
import { assertRefName } from './ref-name.ts'
import { parseRef } from './refs.ts'

test.each([
  '',
  '-x',
  '--upload-pack=x',
  'a..b',
  'a b',
  'a\nb',
  'HEAD\n',
  'a\u0000',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[b',
  'a\\b',
  '@',
  '@{-1}',
  'a@{1}',
  '/a',
  'a/',
  'a//b',
  'a.',
  '.a',
  'a/.b',
  'a.lock',
  'a.lock/b',
  'refs/../../x',
  'x'.repeat(5_000),
  'a\u007f',
])('%j is refused as the name of a ref', (name) => {
  expect(() => assertRefName(name)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(() => parseRef({ branch: name }), 'as a branch').toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

test.each(['main', 'feature/a', 'v1.0.0', 'a@b', 'ünïcode', 'refs/heads/main', 'refs/pull/1/head', 'a.b', 'HEAD'])(
  '%j is a name',
  (name) => {
    expect(() => parseRef(name)).not.toThrow()
  },
)

test.each([
  [{ commit: 'xyz' }],
  [{ commit: 'abc' }],
  [{ commit: 'a'.repeat(41) }],
  [{ semver: 'not a range' }],
  [{ semver: '' }],
  [{ tag: '-x' }],
])('%j cannot be followed', (ref) => {
  expect(() => parseRef(ref)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
