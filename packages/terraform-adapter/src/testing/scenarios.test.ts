import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const suites = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.real.test.ts'))
const text = suites.map((name) => readFileSync(`${root}/${name}`, 'utf8')).join('\n')
const names = [...text.matchAll(/^test\((['"])(\[.*?)\1,/gm)].map(([, , name = '']) => name)

/** What a binary and a provider do and what must come of it: T with built-in resources, P with a provider, H with the managed backend. */
const scenarios = [...numbered('T', 16), ...numbered('P', 17), ...numbered('H', 9)]

function numbered(letter: string, last: number): string[] {
  return Array.from({ length: last }, (_, index) => `[${letter}${index + 1}]`)
}

test.each(scenarios)('scenario %s is a test with the real binary', (id) => {
  expect(names.filter((name) => name.includes(id))).not.toEqual([])
})
