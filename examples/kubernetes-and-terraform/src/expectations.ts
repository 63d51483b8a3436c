import { expect } from 'vitest'
import type { Told } from './story.ts'

/** What must be so, whoever played Terraform. */
export function expectDelivered({ results, first, second, events }: Told): void {
  expect(results.flatMap(({ error }) => error?.message ?? [])).toEqual([])
  // The shop is reconciled by itself as soon as the database has published.
  const applied = events.flatMap((event) => (event.type === 'applied' ? event.application : []))
  expect(applied).toEqual(['database', 'shop', 'database', 'shop'])
  const password = 'correct-horse-battery'
  expect(first).toEqual({ url: 'postgres://db-1.internal/shop', password, replicas: 2 })
  expect(second).toEqual({ url: 'postgres://db-2.internal/shop', password, replicas: 3 })
  expect(JSON.stringify([events, results])).not.toContain(password)
  expect(events.flatMap((event) => (event.type === 'drifted' ? [event] : []))).toEqual([])
}
