import { type Call, GitOpsError, sleep } from '@gitops-sdk/core'
import type { ConnectionOptions } from 'node:tls'
import { Client, type ClientConfig, Pool, type PoolClient } from 'pg'
import type { Database, Dialect, Query, Row, Value } from './database.ts'

/** How to reach a PostgreSQL. */
export interface PostgresOptions {
  /** `postgres://host:5432/database`. Credentials come from `user` and `password`, or from the environment as libpq reads it. */
  readonly url: string
  readonly user?: string
  /** Called for each new connection, so that a token may be renewed. */
  readonly password?: string | (() => string | Promise<string>)
  /** Connections of this process. @defaultValue 4 */
  readonly connections?: number
  /** Certificates and their checks, as Node's `tls.connect` takes them. @defaultValue checked, except on loopback */
  readonly tls?: boolean | ConnectionOptions
  /**
   * Whether to listen for hints of other workers, on a connection of its own. Without, and where they get lost, work is
   * found by asking. A transaction pooler cannot pass hints on. @defaultValue true
   */
  readonly hints?: boolean
  /** Schema of the tables; created when it is missing. @defaultValue 'gitops' */
  readonly schema?: string
}

const dialect: Dialect = {
  name: 'postgres',
  forUpdate: ' FOR UPDATE',
  forShare: ' FOR KEY SHARE',
  forOrder: ' FOR NO KEY UPDATE',
  skipLocked: ' FOR UPDATE SKIP LOCKED',
  byCodeUnits: 'COLLATE "C"',
  nowMs: '(extract(epoch FROM statement_timestamp()) * 1000)::bigint',
  least: 'LEAST',
  greatest: 'GREATEST',
  jsonRows: '(SELECT value FROM json_array_elements_text(?::json))',
  isOneOf: (column, select) => `${column} = ANY(ARRAY(${select}))`,
  jsonTable: (columns) =>
    `json_to_recordset(?::json) AS given(${Object.entries(columns)
      .map((each) => each.join(' '))
      .join(', ')})`,
  jsonText: (expression, name) => `(${expression})::json->>'${name}'`,
  jsonArrayOf: (column) => `coalesce(json_agg((${column})::json), '[]'::json)::text`,
}

/** Attempts of a transaction that lost a race, or whose connection was refused or cut before it began. */
const attempts = 8

/**
 * Opens a pool of connections. Uses no session state, no advisory lock and no named statement, so a
 * transaction pooler may stand in between.
 */
export function openPostgres(options: PostgresOptions): Database {
  const id = safeAddress(options.url)
  const schema = schemaOf(options)
  const config = connectionConfig(options)
  const pool = new Pool({ ...config, max: options.connections ?? 4, allowExitOnIdle: true })
  const spell = speller(schema)
  const hints = options.hints === false ? {} : hintsOf(`gitops_${schema}`, pool, { id, config })
  // A connection that breaks while idle is replaced by the pool; the next statement reports what matters.
  pool.on('error', () => {})
  // Nor may one that breaks on its way from one user to the next end the process: the pool listens only while it is idle.
  pool.on('connect', (client) => void client.on('error', () => {}))
  let ended: Promise<void> | undefined
  return {
    id,
    dialect,
    prepare: async (call) => {
      await patiently(id, call, () => makeSchema(pool, schema))
    },
    query: (statement, values, call) => patiently(id, call, () => run(pool, spell(statement), values)),
    transaction: (work, call) => patiently(id, call, () => transact(pool, spell, work)),
    ...hints,
    [Symbol.asyncDispose]: () => (ended ??= pool.end()),
  }
}

/** A role that was given its schema need not be allowed to make one, and `IF NOT EXISTS` asks for that right all the same. */
async function makeSchema(pool: Pool, schema: string): Promise<void> {
  const found = await run(pool, 'SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
  if (found.length === 0) await run(pool, `CREATE SCHEMA IF NOT EXISTS "${schema}"`, [])
}

/** It becomes part of statements, which no value does. */
function schemaOf({ schema = 'gitops' }: PostgresOptions): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) return schema
  const message = `schema: ${JSON.stringify(schema)} is not allowed. Use lower-case letters, digits and underscores.`
  throw new GitOpsError('CONFIG_INVALID', message)
}

function connectionConfig(options: PostgresOptions): ClientConfig {
  const url = new URL(options.url)
  return {
    host: decodeURIComponent(url.hostname),
    port: url.port === '' ? 5432 : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ssl: options.tls ?? !isLoopback(url.hostname),
    connectionTimeoutMillis: 10_000,
  }
}

/** Refuses credentials in the address, so that the address may be printed. */
function safeAddress(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new GitOpsError('CONFIG_INVALID', 'url: not a PostgreSQL address. Write postgres://host:5432/database.')
  }
  if (url.username !== '' || url.password !== '') {
    throw new GitOpsError(
      'USERINFO_IN_URL',
      `url: take the credentials out of postgres://…@${url.host} and give them as user and password.`,
    )
  }
  return `postgres://${url.host}${url.pathname}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}

/** At most one hint per process in this time, and one afterwards for what came meanwhile: NOTIFY takes a lock of the whole database when it commits. */
const hintPauseMs = 100

interface Listening {
  readonly id: string
  readonly config: ClientConfig
}

/** LISTEN and NOTIFY, on the channel of the schema. Nothing is ever decided by a hint, so failures are not told. */
function hintsOf(channel: string, pool: Pool, where: Listening): Required<Pick<Database, 'hint' | 'listen'>> {
  let pausing = false
  let isOwed = false
  const hint = (call: Call): void => {
    isOwed = pausing
    if (pausing) return
    pausing = true
    const resume = (): void => {
      pausing = false
      if (isOwed) hint(call)
    }
    call.clock.setTimer(hintPauseMs, resume).detach?.()
    pool.query(`NOTIFY "${channel}"`).catch(() => {})
  }
  return {
    hint,
    listen: (call) => listen(where, channel, call),
  }
}

async function* listen({ id, config }: Listening, channel: string, call: Call): AsyncIterable<void> {
  const client = new Client(config)
  let wake = (): void => {}
  let failure: Error | undefined
  client.on('notification', () => wake())
  client.on('error', (error: Error) => {
    failure = error
    wake()
  })
  const onAbort = (): void => wake()
  call.signal.addEventListener('abort', onAbort, { once: true })
  try {
    await client.connect()
    await client.query(`LISTEN "${channel}"`)
    while (!call.signal.aborted) {
      await new Promise<void>((resolve) => (wake = () => resolve()))
      if (failure !== undefined) throw translate(failure, id)
      if (!call.signal.aborted) yield
    }
  } finally {
    call.signal.removeEventListener('abort', onAbort)
    await client.end().catch(() => {})
  }
}

async function run(client: Pool | PoolClient, statement: string, values: readonly Value[]): Promise<readonly Row[]> {
  const { rows } = await client.query<Record<string, unknown>>(statement, [...values])
  return rows.map(plainRow)
}

/** The driver gives bigint columns as text; ours are all within the safe integers. */
function plainRow(row: Record<string, unknown>): Row {
  const plain: Record<string, Value> = {}
  for (const [name, value] of Object.entries(row)) plain[name] = value as Value
  return plain
}

/**
 * Statements as PostgreSQL wants them: `$1` for the first `?`, and tables with their schema, because the
 * search path belongs to whoever owns the role. Each statement is respelled once.
 */
function speller(schema: string): (statement: string) => string {
  const known = new Map<string, string>()
  return (statement) => {
    const spelled = known.get(statement)
    if (spelled !== undefined) return spelled
    let index = 0
    const text = statement.replaceAll('gitops_', `"${schema}".`).replaceAll('?', () => `$${++index}`)
    known.set(statement, text)
    return text
  }
}

async function transact<T>(
  pool: Pool,
  spell: (statement: string) => string,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  // A server that dies between two statements tells it as an event; the next statement fails and says so.
  const onError = (error: Error): void => void (broken = error)
  client.on('error', onError)
  try {
    await client.query('BEGIN')
    const result = await work((statement, values) => run(client, spell(statement), values))
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch((cause: unknown) => (broken = cause as Error))
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

async function patiently<T>(id: string, call: Call, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof GitOpsError || attempt === attempts || !isHarmless(cause)) throw translate(cause, id)
      await sleep(call.random.next() * 20 * 2 ** attempt, call)
    }
  }
}

/**
 * Nothing happened and it may be tried again: serialization failure, deadlock, two processes creating the same
 * table, the type that comes with it, or schema, too many connections, starting up or shutting down, connection refused (SQLSTATE,
 * appendix A of the PostgreSQL manual).
 */
function isHarmless(cause: unknown): boolean {
  const code = (cause as { code?: string }).code ?? ''
  return ['40001', '40P01', '23505', '42P06', '42P07', '42710', '53300', '57P03', 'ECONNREFUSED'].includes(code)
}

function translate(cause: unknown, id: string): GitOpsError {
  if (cause instanceof GitOpsError) return cause
  const { code = '', message = '' } = cause as { code?: string; message?: string }
  if (code.startsWith('28'))
    return new GitOpsError('LEDGER_UNAVAILABLE', `${id} refused the credentials.`, { cause, retryable: false })
  if (code === '3D000')
    return new GitOpsError('LEDGER_UNAVAILABLE', `${id} does not exist. Create the database first.`, {
      cause,
      retryable: false,
    })
  if (code === '42501') {
    const next = 'Give the role a schema of its own: CREATE SCHEMA … AUTHORIZATION ….'
    return new GitOpsError('LEDGER_UNAVAILABLE', `${id}: ${message}. ${next}`, { cause, retryable: false })
  }
  if (code === '53100') return new GitOpsError('LEDGER_UNAVAILABLE', `${id} is out of disk space.`, { cause })
  return new GitOpsError('LEDGER_UNAVAILABLE', `${id} failed: ${code} ${message}`.trim(), { cause })
}
