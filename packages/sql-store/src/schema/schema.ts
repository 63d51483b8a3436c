import { type Call, GitOpsError } from '@gitops-sdk/core'
import type { Database, Query } from '../database/database.ts'

/** One step of the schema. Each only adds, so that a process of the version before may run beside it. */
export interface Migration {
  readonly version: number
  readonly statements: readonly string[]
  /** What only PostgreSQL has. */
  readonly postgres?: readonly string[]
}

/**
 * The tables. Times are epoch milliseconds of the database's clock or of the engine, whole values are JSON text in
 * the spelling in which they were written, so that hashes over them hold in both dialects.
 */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `CREATE TABLE gitops_application (
        name TEXT PRIMARY KEY,
        version BIGINT NOT NULL,
        forgotten INTEGER NOT NULL DEFAULT 0,
        record TEXT NOT NULL
      )`,
      // One row per resource and period: the open one (valid_to is null) is the inventory, the closed ones answer "what was where".
      `CREATE TABLE gitops_inventory (
        application TEXT NOT NULL,
        key TEXT NOT NULL,
        valid_from BIGINT NOT NULL,
        valid_to BIGINT,
        kind TEXT NOT NULL,
        namespace TEXT,
        name TEXT NOT NULL,
        revision TEXT NOT NULL,
        run TEXT,
        entry TEXT NOT NULL
      )`,
      'CREATE UNIQUE INDEX ix_inventory_open ON gitops_inventory (application, key) WHERE valid_to IS NULL',
      'CREATE INDEX ix_inventory_resource ON gitops_inventory (kind, name, valid_from)',
      `CREATE TABLE gitops_run (
        application TEXT NOT NULL,
        run TEXT NOT NULL,
        started_at BIGINT NOT NULL,
        ended_at BIGINT NOT NULL,
        outcome TEXT NOT NULL,
        revision TEXT,
        entry TEXT NOT NULL,
        PRIMARY KEY (application, run)
      )`,
      'CREATE INDEX ix_run_time ON gitops_run (started_at DESC)',
      `CREATE TABLE gitops_audit (
        sequence BIGINT PRIMARY KEY,
        at BIGINT NOT NULL,
        application TEXT,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        entry TEXT NOT NULL
      )`,
      'CREATE INDEX ix_audit_application ON gitops_audit (application, sequence)',
      // The one row that appends to the audit log take turns on.
      'CREATE TABLE gitops_audit_head (one INTEGER PRIMARY KEY, sequence BIGINT NOT NULL, hash TEXT NOT NULL)',
      "INSERT INTO gitops_audit_head (one, sequence, hash) VALUES (1, 0, '')",
    ],
  },
  {
    version: 2,
    statements: [
      // Rows are updated with every claim: room for it on the page, and no index on what changes but one.
      `CREATE TABLE gitops_queue (
        key TEXT PRIMARY KEY,
        pool TEXT NOT NULL,
        lane TEXT,
        tenant TEXT,
        priority INTEGER NOT NULL DEFAULT 0,
        wanted BIGINT NOT NULL,
        done BIGINT NOT NULL DEFAULT 0,
        epoch BIGINT NOT NULL DEFAULT 0,
        holder TEXT,
        run_at BIGINT,
        next_at BIGINT,
        triggers TEXT NOT NULL DEFAULT '',
        crashes INTEGER NOT NULL DEFAULT 0,
        note TEXT,
        taken_at BIGINT,
        taken_epoch BIGINT,
        taken_priority INTEGER,
        taken_triggers TEXT
      )`,
      'CREATE INDEX ix_queue_due ON gitops_queue (pool, priority, run_at) WHERE run_at IS NOT NULL',
      'CREATE INDEX ix_queue_tenant ON gitops_queue (tenant) WHERE tenant IS NOT NULL AND holder IS NOT NULL',
    ],
    postgres: [
      `ALTER TABLE gitops_queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)`,
    ],
  },
  {
    version: 3,
    statements: [
      // For what was there at an earlier time, and for what is old enough to go.
      'CREATE INDEX ix_inventory_closed ON gitops_inventory (valid_to) WHERE valid_to IS NOT NULL',
      'CREATE INDEX ix_run_newest ON gitops_run (application, started_at DESC)',
      'CREATE INDEX ix_run_ended ON gitops_run (ended_at)',
      'CREATE INDEX ix_audit_time ON gitops_audit (at)',
    ],
  },
  {
    version: 4,
    // The highest priority of the wakes since a key was claimed: what is left of it when the claim is completed.
    statements: ['ALTER TABLE gitops_queue ADD COLUMN next_priority INTEGER NOT NULL DEFAULT 0'],
  },
]

/**
 * Brings the tables up to date. Several processes may start at once: they take turns. A database that
 * is newer than this library is refused with `LEDGER_VERSION`, never guessed.
 */
export async function migrate(database: Database, call: Call, steps: readonly Migration[] = migrations): Promise<void> {
  await database.prepare(call)
  await database.query('CREATE TABLE IF NOT EXISTS gitops_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)', [], call)
  await database.transaction((query) => migrateInTurn(database, query, steps), call)
}

async function migrateInTurn(database: Database, query: Query, steps: readonly Migration[]): Promise<void> {
  const newest = steps.at(-1)?.version ?? 0
  await query("INSERT INTO gitops_meta (name, value) VALUES ('schema', '0') ON CONFLICT (name) DO NOTHING", [])
  const [row] = await query(`SELECT value FROM gitops_meta WHERE name = 'schema'${database.dialect.forUpdate}`, [])
  const current = Number(row?.['value'] ?? 0)
  if (current > newest) {
    const message = `${database.id} has schema ${current}, and this library knows ${newest}. Run a newer version of @gitops-sdk/sql-store.`
    throw new GitOpsError('LEDGER_VERSION', message)
  }
  for (const migration of steps.filter(({ version }) => version > current)) {
    const more = database.dialect.name === 'postgres' ? (migration.postgres ?? []) : []
    for (const statement of [...migration.statements, ...more]) await query(statement, [])
  }
  await query("UPDATE gitops_meta SET value = ? WHERE name = 'schema'", [String(newest)])
}
