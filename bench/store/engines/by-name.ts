import { openBullmq } from './bullmq.ts'
import type { OpenEngine } from './engine.ts'
import { openLedger, openQueue } from './gitops.ts'
import { openGraphileWorker } from './graphile-worker.ts'
import { openPgBoss } from './pg-boss.ts'

/** Every engine, by the name that a worker process is given. */
export const engines = {
  queue: openQueue,
  ledger: openLedger,
  'pg-boss': openPgBoss,
  'graphile-worker': openGraphileWorker,
  bullmq: openBullmq,
} as const satisfies Record<string, OpenEngine>

export type EngineName = keyof typeof engines
