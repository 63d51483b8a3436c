import { expect, test } from 'vitest'
import { memoryLedger } from '../ledger/memory.ts'
import { createRedactor } from '../runtime/redactor.ts'
import { memorySource } from '../source/memory.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import type { Application } from './application.ts'
import type { Member } from './member.ts'
import { createMembers } from './members.ts'
import { defaultPolicy } from './policy/policy.ts'
import { createReconciler } from './reconciler.ts'

const source = memorySource({ files: {} })

function member(name: string, dependsOn: readonly string[] = [], from = source): Member {
  const target = memoryTarget()
  const told = {
    lifetime: {},
    remembered: false,
    hinted: false,
    driftDueMs: 0,
    failures: 0,
    asked: [],
    wakeUps: new Set<() => void>(),
  }
  const application: Application = { name, source: from, target, dependsOn }
  return { name, application, source: from, target, policy: defaultPolicy, redactor: createRedactor(), ...told }
}

test('who depends on an application and who reads a source is known in the order they came, and forgotten with them', () => {
  const members = createMembers()
  const [web, jobs, other] = [member('web', ['db']), member('jobs', ['db', 'web']), member('other', [], memorySource())]
  for (const each of [web, jobs, other]) members.add(each)
  expect([...members.keys()]).toEqual(['web', 'jobs', 'other'])
  expect(members.dependentsOf('db')).toEqual([web, jobs])
  expect(members.readersOf(source)).toEqual([web, jobs])
  members.remove(web)
  expect(members.dependentsOf('db')).toEqual([jobs])
  expect(members.readersOf(source)).toEqual([jobs])
  members.remove(jobs)
  expect([members.dependentsOf('db'), members.dependentsOf('web'), members.readersOf(source)]).toEqual([[], [], []])
})

test('a run costs the same whatever else there is: no application is looked through when another one ends', async () => {
  const names = Array.from({ length: 50 }, (_, index) => `app-${index}`)
  let asked = 0
  const applications = names.map((name): Application => {
    const application = { name, source: memorySource({ files: { 'item/a.json': '{}' } }), target: memoryTarget() }
    return Object.defineProperty(application, 'dependsOn', { enumerable: true, get: () => void asked++ })
  })
  await using reconciler = createReconciler({ applications, ledger: memoryLedger() })
  await reconciler.reconcile('app-0')
  const first = asked
  await reconciler.reconcile('app-1')
  expect(asked - first).toBeLessThan(10)
})
