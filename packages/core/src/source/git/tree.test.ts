import { expect, test } from 'vitest'
import { parseTree } from './tree.ts'

const oid = Buffer.alloc(20, 7)
const entry = (mode: string, name: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), oid])

test.each<[string, string | Buffer, string]>([
  ['climbs', '..', 'SOURCE_PATH_UNSAFE'],
  ['is the folder itself', '.', 'SOURCE_PATH_UNSAFE'],
  ['climbs and descends', '../x', 'SOURCE_PATH_UNSAFE'],
  ['is absolute', '/abs', 'SOURCE_PATH_UNSAFE'],
  ['holds a slash', 'a/b', 'SOURCE_PATH_UNSAFE'],
  ['climbs on Windows', 'a\\..\\b', 'SOURCE_PATH_UNSAFE'],
  ['is a drive on Windows', 'C:\\x', 'SOURCE_PATH_UNSAFE'],
  ['is empty', '', 'SOURCE_PATH_UNSAFE'],
  ['reaches the repository', '.git', 'SOURCE_PATH_UNSAFE'],
  ['reaches it where case does not count', '.GiT', 'SOURCE_PATH_UNSAFE'],
  ['reaches it by its short name', 'GIT~1', 'SOURCE_PATH_UNSAFE'],
  ['reaches it with a space that Windows drops', '.git ', 'SOURCE_PATH_UNSAFE'],
  ['reaches it with a dot that Windows drops', '.git.', 'SOURCE_PATH_UNSAFE'],
  ['reaches it as a stream of NTFS', '.git::$INDEX_ALLOCATION', 'SOURCE_PATH_UNSAFE'],
  ['reaches it with what HFS ignores', '.g\u200cit', 'SOURCE_PATH_UNSAFE'],
  ['reaches it behind what HFS ignores', '\u200d.git', 'SOURCE_PATH_UNSAFE'],
  ['is not UTF-8', Buffer.from([0x61, 0xff]), 'SOURCE_PATH_UNSAFE'],
])('a name that %s is refused', (_why, name, code) => {
  const tree = Buffer.concat([entry('100644', 'a'), entry('40000', name)])
  expect(() => parseTree(tree)).toThrow(expect.objectContaining({ code }))
})

test.each([
  ['.github'],
  ['.gitignore'],
  ['.gitattributes'],
  ['git'],
  ['con'],
  ['aux.yaml'],
  ['trailing.'],
  ['a:b'],
  ['🙂'],
  ['..a'],
  ['...'],
])('the name %s is safe', (name) => {
  expect(parseTree(entry('100644', name)).get(name)).toMatchObject({ name, type: 'file' })
})

test.each([
  ['100644', 'file'],
  ['100755', 'file'],
  ['100664', 'file'],
  ['100600', 'file'],
  ['40000', 'folder'],
  ['040000', 'folder'],
  ['120000', 'symlink'],
  ['160000', 'submodule'],
])('mode %s is a %s', (mode, type) => {
  expect(parseTree(entry(mode, 'x')).get('x')).toMatchObject({ type, mode, oid: oid.toString('hex') })
})

test.each<[string, Buffer]>([
  ['names something twice', Buffer.concat([entry('120000', 'd'), entry('40000', 'd')])],
  ['ends inside an id', entry('100644', 'a').subarray(0, -1)],
  ['ends inside a name', Buffer.from('100644 abc')],
  ['ends inside a mode', Buffer.from('1006')],
  ['holds an unknown mode', entry('777', 'a')],
])('a tree that %s is damaged', (_why, tree) => {
  expect(() => parseTree(tree)).toThrow(expect.objectContaining({ code: 'SOURCE_CORRUPT' }))
})
