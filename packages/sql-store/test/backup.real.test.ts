import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type Claim, createCall } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { type SqlLedger } from '../src/ledger/ledger.ts'
import { postgres } from '../src/postgres.ts'
import { neededPostgresBin } from './postgres-server.ts'
import { stageFolder, stagePostgres } from './stage.ts'

const folder = stageFolder()
const server = stagePostgres()
const call = createCall()

const open = (): SqlLedger => postgres({ url: server.url, user: 'gitops' })

/** Runs one of PostgreSQL's own programs against the server. */
function run(program: string, ...args: readonly string[]): void {
  const { hostname, port } = new URL(server.url)
  const place = ['-h', hostname, '-p', port, '-U', 'gitops', '-w']
  execFileSync(join(neededPostgresBin(), program), [...place, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
}

async function claimOf(ledger: SqlLedger, key: string): Promise<Claim> {
  await ledger.queue.enqueue([{ key }], call)
  const request = { worker: 'w', pool: 'pool', limit: 1, leaseMs: 600_000, keys: [key] }
  const [claim] = await ledger.queue.claim(request, call)
  return claim!
}

const owned = (name: string) => ({ ref: { kind: 'flag', name }, state: 'applied', revision: 'r1' }) as const

test('after pg_restore no token is handed out twice, zombies of the time between are refused, and everything is due', async () => {
  const dump = join(folder, 'gitops.dump')
  let ledger = open()
  const early = await claimOf(ledger, 'pool/early')
  await ledger.commit('early', { expect: 0, claim: early, inventory: { put: [owned('kept')] } }, call)
  await ledger.queue.complete([{ claim: early, note: { revision: 'r1' } }], call)
  run('pg_dump', '-Fc', '-f', dump, 'postgres')
  const tokens = [early.token]
  for (let round = 0; round < 2; round++) {
    // Claims of which the backup knows nothing: of a key it has, and of one it has not.
    const zombies = [await claimOf(ledger, 'pool/early'), await claimOf(ledger, 'pool/late')]
    tokens.push(...zombies.map(({ token }) => token))
    const { version } = await ledger.read('early', call)
    await ledger.commit('early', { expect: version, claim: zombies[0]!, inventory: { put: [owned('lost')] } }, call)
    await ledger[Symbol.asyncDispose]?.()
    run('pg_restore', '--clean', '--if-exists', '--single-transaction', '-d', 'postgres', dump)
    ledger = open()
    await ledger.queue.afterRestore(call)
    expect([...(await ledger.read('early', call)).inventory.values()].map(({ ref }) => ref.name)).toEqual(['kept'])
    const [item] = await ledger.queue.items({}, call)
    expect([item?.key, item?.note, (item?.dueInMs ?? 1) <= 0]).toEqual(['pool/early', { revision: 'r1' }, true])
    for (const claim of zombies) {
      expect(await ledger.queue.extend([claim], 1_000, call)).toEqual([])
      expect(await ledger.queue.complete([{ claim }], call)).toEqual([])
      const late = ledger.commit('early', { expect: 1, claim, state: { failures: 9 } }, call)
      await expect(late).rejects.toMatchObject({ code: 'LEDGER_FENCED' })
    }
    for (const key of ['pool/early', 'pool/late']) {
      const claim = await claimOf(ledger, key)
      expect(claim.token).toBeGreaterThan(Math.max(...zombies.map(({ token }) => token)))
      tokens.push(claim.token)
      await ledger.queue.complete([{ claim }], call)
    }
  }
  expect(new Set(tokens).size).toBe(tokens.length)
  await ledger[Symbol.asyncDispose]?.()
})
