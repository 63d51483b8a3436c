import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import type { ApplicationEvent } from '../feedback/events.ts'
import { memoryLedger } from '../ledger/memory.ts'
import type { Inputs, Outputs } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { outputOf, resolveOutput } from '../runtime/output-reference.ts'
import { seededRandom } from '../runtime/random.ts'
import { Secret } from '../runtime/secret.ts'
import { resolveVariable } from '../runtime/variable.ts'
import { memorySource } from '../source/memory.ts'
import { testCall } from '../testing/call.ts'
import { manualClock } from '../testing/clock.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import { createReconciler } from './reconciler.ts'
import { inputsDigest, published, secretsIn } from './outputs.ts'

const files = { 'flag/checkout.json': { on: true } }
const canary = 'canary-of-outputs-77'

test('a sensitive output reaches the target of the dependent, and shows in nothing that is said about it', async () => {
  const outputs: { now: Outputs } = { now: { port: { value: 5432 }, password: { value: canary, sensitive: true } } }
  const refusing = { now: false }
  const events: ApplicationEvent[] = []
  const logged: unknown[] = []
  const note = (...line: unknown[]): void => void logged.push(line)
  const shop = memoryTarget({
    id: 'shop',
    render: (body, call) => ({
      ...body,
      port: resolveVariable(outputOf('database', 'port'), call).value,
      password: resolveVariable(outputOf('database', 'password'), call).value,
    }),
    before: (operation, _ref, call) => {
      call.log.warn(`writing ${canary}`)
      if (operation === 'write' && refusing.now) throw new GitOpsError('TARGET_REFUSED', `${canary} is too short`)
    },
  })
  await using reconciler = createReconciler({
    clock: manualClock(),
    random: seededRandom(1),
    ledger: memoryLedger(),
    log: { debug: note, info: note, warn: note, error: note },
    applications: [
      {
        name: 'database',
        source: memorySource({ files }),
        target: memoryTarget({ id: 'database', outputs: () => outputs.now }),
      },
      { name: 'shop', source: memorySource({ files }), target: shop, dependsOn: ['database'] },
    ],
  })
  reconciler.onAny((event) => void events.push(event))
  await reconciler.reconcile('database')
  const results: unknown[] = [await reconciler.reconcile('shop')]
  expect([...shop.live.values()].map(({ body }) => body)).toEqual([{ on: true, port: 5432, password: canary }])
  outputs.now = { ...outputs.now, password: { value: `${canary}-next`, sensitive: true } }
  refusing.now = true
  await reconciler.reconcile('database', { refresh: true })
  const failed = await reconciler.reconcile('shop')
  expect(failed.outcome).toBe('failed')
  results.push(failed, failed.error?.message)
  for await (const each of reconciler.history()) results.push(each)
  for await (const each of reconciler.audit()) results.push(each)
  const everything = inspect([results, events, logged, reconciler.list()], { depth: null, maxStringLength: null })
  expect(everything).toContain('checkout')
  expect(everything).not.toContain(canary)
})

test('nothing that prints inputs shows a sensitive value, and a change of one counts', () => {
  const inputs = (value: string): Inputs => ({ database: published({ password: { value, sensitive: true } }) })
  expect(inspect(inputs(canary)) + JSON.stringify(inputs(canary))).not.toContain(canary)
  expect(inputs(canary)['database']?.['password']?.value).toBe(canary)
  expect(inputsDigest(inputs('one'))).not.toBe(inputsDigest(inputs('two')))
  expect(inputsDigest({})).toBe('')
  expect(
    secretsIn({ database: published({ url: { value: 'shown' }, keys: { value: ['a', 1], sensitive: true } }) }),
  ).toEqual(['a', '1'])
})

test('a reference shows names alone, and one to nothing names what there is', () => {
  const call = testCall({ inputs: { database: published({ port: { value: 5432 } }) } })
  expect(JSON.stringify(outputOf('database', 'port'))).toBe('{"application":"database","output":"port"}')
  expect(resolveOutput(outputOf('database', 'port'), call).value).toBe(5432)
  const missing = (application: string, output: string) => () => resolveOutput(outputOf(application, output), call)
  expect(missing('database', 'host')).toThrow(expect.objectContaining({ code: 'INPUT_MISSING', retryable: true }))
  expect(missing('database', 'host')).toThrow('It has published port')
  expect(missing('toString', 'name')).toThrow('Name toString in `dependsOn`')
  expect(missing('database', 'constructor')).toThrow('needs the output constructor')
})

test('a variable is a value, a secret, or an output with the type it was published with', () => {
  const call = testCall({ inputs: { a: published({ list: { value: ['x'], sensitive: true } }) } })
  expect(resolveVariable({ value: 1 }, call)).toEqual({ value: { value: 1 }, sensitive: false })
  expect(resolveVariable(new Secret('s'), call)).toEqual({ value: 's', sensitive: true })
  expect(resolveVariable(outputOf('a', 'list'), call)).toEqual({ value: ['x'], sensitive: true })
  expect(resolveVariable(call.inputs['a']!['list']!, call)).toEqual({ value: ['x'], sensitive: true })
})
