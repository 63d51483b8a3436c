import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { type PostgresServer, neededPostgresBin, startPostgres } from './postgres-server.ts'

/** A PostgreSQL for the tests of one file, started before them and ended after them. */
export function stagePostgres(tls?: { cert: string; key: string }): Omit<PostgresServer, typeof Symbol.asyncDispose> {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres(neededPostgresBin(), tls)
  })
  afterAll(() => server?.[Symbol.asyncDispose]())
  return {
    get url() {
      return server.url
    },
    crash: () => server.crash(),
  }
}

/** A folder for the tests of one file, removed after them. */
export function stageFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-store-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Connects as the owner of everything, past the store. */
export async function connectAsOwner({ url }: { readonly url: string }): Promise<Client> {
  const { hostname, port } = new URL(url)
  const client = new Client({ host: hostname, port: Number(port), user: 'gitops', database: 'postgres' })
  await client.connect()
  return client
}

/** Opens places by name, and again what was opened: the name of a schema is not in the address of its ledger. */
export function reopening<T extends object>(
  open: (name: string) => T,
): {
  readonly open: (name: string) => T
  readonly again: (opened: object) => T
} {
  const names = new WeakMap<object, string>()
  const named = (name: string): T => {
    const opened = open(name)
    names.set(opened, name)
    return opened
  }
  return { open: named, again: (opened) => named(names.get(opened) ?? '') }
}
