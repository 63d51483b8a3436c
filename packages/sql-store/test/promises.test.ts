import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const readme = readFileSync(`${root}/packages/sql-store/README.md`, 'utf8')
const promises = Array.from({ length: 12 }, (_, index) => `S${index + 1}`)

test.each(promises)('the promise %s is shown by tests that are there', (promise) => {
  const [, text = ''] = new RegExp(`^- \\*\\*${promise}, .*\\n((?:  - .*\\n)+)`, 'm').exec(readme) ?? []
  const shown = [...text.matchAll(/`([^`]+)`: ([_*])(.+)\2$/gm)].map(([, file = '', , name = '']) => ({ file, name }))
  expect(shown).not.toEqual([])
  for (const { file, name } of shown) expect(readFileSync(`${root}/${file}`, 'utf8'), file).toContain(name)
})
