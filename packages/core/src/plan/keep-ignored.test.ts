import { expect, test } from 'vitest'
import { resource } from '../desired/build.ts'
import type { JsonObject } from '../runtime/json.ts'
import { keepIgnored } from './keep-ignored.ts'

const ref = { kind: 'queue', name: 'a' }

test.each<[string, string[], JsonObject, JsonObject, JsonObject]>([
  [
    'a value that somebody else sets is kept',
    ['/spec/replicas'],
    { spec: { replicas: 3, size: 1 } },
    { spec: { replicas: 9 } },
    { spec: { replicas: 9, size: 1 } },
  ],
  ['a field that somebody else added is kept', ['/extra'], { size: 1 }, { extra: true }, { size: 1, extra: true }],
  ['a field that somebody else removed stays away', ['/size'], { size: 1, on: true }, { on: true }, { on: true }],
  [
    'an item at the same index is kept',
    ['/l/1/v'],
    { l: [{ v: 1 }, { v: 2 }] },
    { l: [{ v: 8 }, { v: 9 }] },
    { l: [{ v: 1 }, { v: 9 }] },
  ],
  ['an item that is not declared is not made up', ['/l/1'], { l: [1] }, { l: [1, 2] }, { l: [1] }],
  [
    'a field below something that is not declared is not made up',
    ['/spec/x'],
    { size: 1 },
    { spec: { x: 1 } },
    { size: 1 },
  ],
  ['what is left alone altogether has no path', [''], { size: 1 }, { size: 9 }, { size: 1 }],
])('%s', (_, paths, body, there, expected) => {
  const before = structuredClone(body)
  const ignored = [
    ...paths.map((path) => ({ ref, path, rule: 'r' })),
    { ref: { kind: 'queue', name: 'b' }, path: '/size', rule: 'r' },
  ]
  expect(keepIgnored({ ignored }, resource({ ref, body }), there)).toEqual(expected)
  expect(body).toEqual(before)
})
