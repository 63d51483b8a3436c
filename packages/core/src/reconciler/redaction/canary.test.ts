import { inspect } from 'node:util'
import * as api from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { describeEvent } from '../../feedback/describe-event.ts'
import { logEvents, prometheusMetrics, traceRuns } from '../../telemetry.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { memoryLedger } from '../../ledger/memory.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/log.ts'
import { createRedactor } from '../../runtime/redactor.ts'
import { Secret, environmentSecret } from '../../runtime/secret.ts'
import { memorySource } from '../../source/memory.ts'
import type { Source } from '../../source/source.ts'
import { manualClock } from '../../testing/clock.ts'
import { memoryTarget } from '../../testing/memory-target.ts'
import { createReconciler } from '../reconciler.ts'
import { redactApplication } from './redact-application.ts'

// One canary for every way in which a secret comes near the engine.
const canaries = {
  gitToken: 'canary-git-0a1b2c3d4e5f',
  environment: 'canary-env-"quoted"&é',
  declared: 'canary-declared-6a7b8c9d',
  targetCredential: 'canary-target-ff00ff00',
}

/** Collects everything that leaves, and says where a canary shows: as it is, encoded, or in an error behind an error. */
function createSinks() {
  const sinks = new Map<string, string>()
  const put = (sink: string, value: unknown): void => {
    const printed = inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null, showHidden: true })
    sinks.set(sink, `${sinks.get(sink) ?? ''}\n${printed}\n${JSON.stringify(value) ?? ''}`)
  }
  const hits = (): readonly string[] =>
    [...sinks].flatMap(([sink, text]) =>
      Object.values(canaries).flatMap((canary) =>
        [canary, encodeURIComponent(canary), btoa(encodeURIComponent(canary)), JSON.stringify(canary).slice(1, -1)]
          .filter((form) => text.includes(form))
          .map((form) => `${sink}: ${form}`),
      ),
    )
  return { put, hits, size: () => [...sinks.values()].join('').length }
}

test('Q18 canary: a full life with failures lets no secret out', async () => {
  const sinks = createSinks()
  const log: Logger = {
    debug: (...line) => sinks.put('log', line),
    info: (...line) => sinks.put('log', line),
    warn: (...line) => sinks.put('log', line),
    error: (...line) => sinks.put('log', line),
  }
  const redactor = createRedactor([
    new Secret(canaries.gitToken),
    environmentSecret('TOKEN', { TOKEN: canaries.environment }),
    new Secret(canaries.targetCredential),
  ])
  const store = memorySource({
    files: { 'secret/app.json': { password: canaries.declared, $sensitive: ['/password'] } },
  })
  let failing = ''
  const source: Source = {
    ...store,
    resolve: async (call) => {
      call.log.info(`asking with ${canaries.gitToken}`, {
        headers: { authorization: `Basic ${btoa(`x:${canaries.gitToken}`)}` },
      })
      if (failing === 'source')
        throw Object.assign(new Error(`fatal: https://x:${canaries.gitToken}@host`), { token: canaries.gitToken })
      return store.resolve(call)
    },
  }
  const target = memoryTarget({
    before: (operation) => {
      if (failing !== operation) return
      const quoted = new Error(`401 for ${canaries.targetCredential} in ${canaries.environment}`)
      throw new GitOpsError('TARGET_REFUSED', `refused: ${canaries.targetCredential}`, {
        cause: quoted,
        details: { body: { env: canaries.environment } },
      })
    },
    health: () => ({ status: 'degraded', message: `says ${canaries.environment}` }),
  })
  // Whatever a ledger is made of, files or tables, this is all that it is ever given: journals and approvals too.
  const memory = memoryLedger()
  const ledger: Ledger = {
    ...memory,
    commit: (name, change, call) => {
      sinks.put('commit', change)
      return memory.commit(name, change, call)
    },
  }
  const application = redactApplication(
    { name: 'shop', source, target, policy: { prune: true, healthTimeoutMs: 1000 } },
    redactor,
  )
  const clock = manualClock()
  const reconciler = createReconciler({ applications: [application], ledger, clock, log: redactor.logger(log) })
  reconciler.onAny((event) => {
    sinks.put('event', event)
    // What a stream of events to a browser says.
    sinks.put('sentence', describeEvent(event))
    sinks.put('explanation', reconciler.explain(event.application))
  })
  const spans = new InMemorySpanExporter()
  api.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  traceRuns(reconciler, { api })
  logEvents(reconciler, log)
  const metrics = prometheusMetrics(reconciler)

  const run = async (what: string): Promise<void> => {
    failing = what
    const plan = await reconciler.plan('shop').catch((error: unknown) => error)
    sinks.put(`plan (${what})`, plan)
    const running = reconciler.reconcile('shop')
    await clock.advance(5_000)
    sinks.put(`result (${what})`, await running)
    sinks.put(`status (${what})`, reconciler.status('shop'))
    await clock.advance(600_000)
  }
  for (const what of ['source', 'observe', 'read', 'write', '', 'assess', 'remove']) {
    await run(what)
    // The secret changes, drifts, and is removed in the end: each shows it on another side of a difference.
    store.commit({
      'secret/app.json':
        what === 'assess' ? null : { password: `${canaries.declared}-${what}`, $sensitive: ['/password'] },
    })
    for (const live of target.live.values()) target.system.edit(live.ref, { password: `${canaries.declared}-drift` })
  }
  await run('')
  for await (const record of reconciler.history()) sinks.put('history', record)
  for await (const record of reconciler.audit()) sinks.put('audit', record)
  sinks.put(
    'ledger',
    await ledger.read('shop', { clock, log, signal: new AbortController().signal, random: Math as never }),
  )
  for (const { name, attributes, events, status } of spans.getFinishedSpans())
    sinks.put('trace', { name, attributes, events, status })
  sinks.put('metrics', metrics.text())
  await reconciler[Symbol.asyncDispose]()

  expect(spans.getFinishedSpans().length).toBeGreaterThan(20)
  expect(sinks.hits()).toEqual([])
  expect(sinks.size()).toBeGreaterThan(10_000)
  expect(target.counts.write).toBeGreaterThan(2)
})

test('Q18 canary: without the redactor the same life would show them', async () => {
  const sinks = createSinks()
  const target = memoryTarget({
    before: () => {
      throw new GitOpsError('TARGET_REFUSED', `refused: ${canaries.targetCredential}`)
    },
  })
  const source = memorySource({ files: { 'secret/app.json': { a: 1 } } })
  await using reconciler = createReconciler({ applications: [{ name: 'shop', source, target }], clock: manualClock() })
  reconciler.onAny((event) => sinks.put('event', event))
  await reconciler.reconcile('shop')
  expect(sinks.hits().length).toBeGreaterThan(0)
})
