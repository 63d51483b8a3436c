import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkDependencies, findCycle } from './dependency-graph.ts'

const graph = (edges: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(edges))

test.each<[string, Readonly<Record<string, readonly string[]>>]>([
  ['nothing', {}],
  ['a chain', { a: ['b'], b: ['c'], c: [] }],
  ['a diamond', { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }],
])('%s is fine', (_reason, edges) => {
  expect(() => checkDependencies(graph(edges))).not.toThrow()
})

test.each<[Readonly<Record<string, readonly string[]>>, string]>([
  [{ a: ['a'] }, 'a → a'],
  [{ a: ['b'], b: ['c'], c: ['a'] }, 'a → b → c → a'],
  [{ x: ['a'], a: ['b'], b: ['a'] }, 'a → b → a'],
  [{ a: ['b', 'c'], b: [], c: ['d'], d: ['a'] }, 'a → c → d → a'],
])('the circle in %j is named', (edges, path) => {
  expect(() => checkDependencies(graph(edges))).toThrow(
    expect.objectContaining({ code: 'DEPENDENCY_CYCLE', message: expect.stringContaining(`circle: ${path}.`) }),
  )
})

test('an application that is not there is named, with the one that was probably meant', () => {
  expect(() => checkDependencies(graph({ shop: ['qeue'], queue: [] }))).toThrow(
    expect.objectContaining({
      code: 'DEPENDENCY_UNKNOWN',
      message: 'The application shop depends on qeue, which is not there. Did you mean queue?',
    }),
  )
})

test('a chain of 50,000 applications is no problem', () => {
  const chain = new Map(
    Array.from({ length: 50_000 }, (_, index) => [`a${index}`, index === 0 ? [] : [`a${index - 1}`]]),
  )
  expect(findCycle(chain)).toBeUndefined()
  expect(findCycle(chain.set('a0', ['a49999']))).toHaveLength(50_001)
})

test('a circle is found exactly when there is one, and every step of it is a dependency', () => {
  const edges = fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e')),
  )
  fc.assert(
    fc.property(edges, (given) => {
      const all = new Map(Object.entries(given))
      const cycle = findCycle(all)
      expect(cycle !== undefined).toBe([...all.keys()].some((name) => reaches(all, name, name)))
      cycle?.slice(1).forEach((name, index) => expect(all.get(cycle[index] ?? '')).toContain(name))
    }),
  )
})

function reaches(
  all: ReadonlyMap<string, readonly string[]>,
  from: string,
  to: string,
  seen = new Set<string>(),
): boolean {
  return (all.get(from) ?? []).some((next) => {
    if (next === to) return true
    if (seen.has(next)) return false
    seen.add(next)
    return reaches(all, next, to, seen)
  })
}
