import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApplicationEvent } from '../feedback/events.ts'
import { memoryLedger } from '../ledger/memory.ts'
import { createCall } from '../runtime/call.ts'
import { type GitSourceView, gitSource } from '../source/git/source.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { parseAllowedSigners } from '../source/verify/allowed-signers.ts'
import { wireString } from '../source/verify/bytes.ts'
import { type SignatureRules, verifySignatures } from '../source/verify/signatures.ts'
import type { Source } from '../source/source.ts'
import { runGit } from '../testing/git/git-command.ts'
import { type GitServer, startGitServer } from '../testing/git/git-server.ts'
import type { ServedRepository } from '../testing/git/served-repository.ts'
import { manualClock } from '../testing/clock.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import { createReconciler } from './reconciler.ts'

// Commits are made by git, served by git, and signed here as `ssh-keygen -Y sign -n git` would.
let server: GitServer
let count = 0
beforeAll(async () => void (server = await startGitServer({ backend: 'upload-pack' })))
afterAll(() => server.close())

const [ada, eve] = [keyPair(), keyPair()]

interface Key {
  readonly privateKey: KeyObject
  /** As in a public key file, before Base64. */
  readonly blob: Buffer
}

function keyPair(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  return { privateKey, blob: Buffer.concat([wireString('ssh-ed25519'), wireString(point)]) }
}

/** The header that makes `payload` a signed commit. */
function signatureHeader(payload: string, { privateKey, blob }: Key): string {
  const parts = ['git', '', 'sha512'].map(wireString)
  const digest = createHash('sha512').update(payload).digest()
  const signed = Buffer.concat([Buffer.from('SSHSIG'), ...parts, wireString(digest)])
  const signature = Buffer.concat([wireString('ssh-ed25519'), wireString(sign(null, signed, privateKey))])
  const file = [Buffer.from('SSHSIG\0\0\0\u0001'), wireString(blob), ...parts, wireString(signature)]
  const armor = Buffer.concat(file).toString('base64').replace(/.{70}/g, '$&\n ')
  return `gpgsig -----BEGIN SSH SIGNATURE-----\n ${armor}\n -----END SSH SIGNATURE-----\n`
}

/** Commits a flag on `main`; `change` makes of the commit what is written instead. */
async function commit(
  repository: ServedRepository,
  flag: string,
  change: (raw: string) => string = (raw) => raw,
): Promise<string> {
  const plain = await repository.commit({ [`flag/${flag}.json`]: '{"on":true}' })
  const raw = change(`${await repository.git('cat-file', 'commit', plain)}\n`)
  const hash = ['hash-object', '-t', 'commit', '-w', '--stdin']
  const id = await runGit(hash, { cwd: repository.folder, input: raw })
  await repository.git('update-ref', 'refs/heads/main', id)
  return id
}

const signedBy =
  (key: Key) =>
  (raw: string): string =>
    raw.replace('\n\n', `\n${signatureHeader(raw, key)}\n`)
const tampered = (raw: string): string => signedBy(ada)(raw).replace('A change', 'A change of Eve')

const adasKey = { ssh: parseAllowedSigners(`ada@example.com ssh-ed25519 ${ada.blob.toString('base64')}`) }

/** A shop that is ready at a commit that Ada signed. */
async function verifiedShop() {
  const repository = await server.createRepository(`unverified-${count++}`)
  const good = await commit(repository, 'a', signedBy(ada))
  const target = memoryTarget()
  const ledger = memoryLedger()
  const place = { repository, target, ledger }
  const opened = open(place)
  const ready = opened.told('ready')
  opened.reconciler.start()
  await ready
  const names = (): readonly string[] => [...target.live.values()].map(({ ref }) => ref.name).toSorted()
  return { ...place, ...opened, good, names }
}

interface Place {
  readonly repository: ServedRepository
  readonly target: ReturnType<typeof memoryTarget>
  readonly ledger: Ledger
}

/** A process that begins: it remembers nothing but what is in the ledger. */
function open({ repository, target, ledger }: Place, options: Partial<GitSourceView & SignatureRules> = {}) {
  const { ref = 'main', path, ...rules } = options
  const verify = verifySignatures({ ...adasKey, ...rules })
  const git = gitSource({ url: repository.url, ref, verify, ...(path !== undefined && { path }) })
  const polls: Promise<unknown>[] = []
  const source: Source = {
    ...git,
    resolve: (call) => {
      const answer = git.resolve({ ...createCall(), signal: call.signal })
      polls.push(answer.catch(() => {}))
      return answer
    },
  }
  const clock = manualClock()
  const application = { name: 'shop', source, target, policy: { prune: true, selfHeal: true } }
  const events: ApplicationEvent[] = []
  const reconciler = createReconciler({ applications: [application], ledger, clock })
  reconciler.onAny((event) => void events.push(event))
  const told = (type: ApplicationEvent['type']): Promise<unknown> =>
    new Promise((resolve) => {
      const stop = reconciler.on(type, (event) => {
        stop()
        resolve(event)
      })
    })
  /** Asks the source, and waits until what it said was told. */
  const poll = async (): Promise<void> => {
    reconciler.trigger('shop')
    await Promise.all(polls)
    await clock.advance(1_000)
  }
  return { reconciler, events, poll, told }
}

describe('G26: a revision that is refused', () => {
  const refused: readonly (readonly [reason: string, change: (raw: string) => string])[] = [
    ['unsigned', (raw) => raw],
    ['untrusted', signedBy(eve)],
    ['tampered', tampered],
  ]
  test.each(refused)('%s: is told once, and the last verified one stays applied and healed', async (reason, change) => {
    const { repository, good, reconciler, events, target, poll, names, told } = await verifiedShop()
    const writes = target.counts.write
    const bad = await commit(repository, 'evil', change)
    for (let i = 0; i < 4; i++) await poll()
    const failures = events.filter(({ type }) => type === 'failed')
    expect(failures).toMatchObject([{ error: { code: 'REVISION_UNVERIFIED', details: { reason } }, during: 'resolve' }])
    expect(JSON.stringify(failures)).toContain(bad.slice(0, 12))
    expect(names()).toEqual(['a'])
    expect(target.counts.write).toBe(writes)
    expect(reconciler.status('shop')).toMatchObject({ ready: { id: good }, error: { code: 'REVISION_UNVERIFIED' } })

    // A person asks for a run in between: it fails, and takes nothing away from what is in force.
    expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'failed' })
    const healed = told('driftResolved')
    target.system.edit({ kind: 'flag', name: 'a' }, { on: false })
    await poll()
    await healed
    expect(target.live.get('flag a') ?? [...target.live.values()][0]).toMatchObject({ body: { on: true } })
    await reconciler[Symbol.asyncDispose]()
  })

  test('does not keep the next one that is signed from coming into force', async () => {
    const { repository, reconciler, events, poll, names, told } = await verifiedShop()
    await commit(repository, 'evil', signedBy(eve))
    await poll()
    // Eve's commit is in its history now; what counts is who signed what is in force.
    await repository.commit({ 'flag/evil.json': null })
    const ready = told('ready')
    const next = await commit(repository, 'b', signedBy(ada))
    await poll()
    await ready
    expect(names()).toEqual(['a', 'b'])
    expect(reconciler.status('shop')).toMatchObject({ ready: { id: next } })
    expect(events.filter(({ type }) => type === 'failed')).toHaveLength(1)
    await reconciler[Symbol.asyncDispose]()
  })

  test('is never the first: nothing is applied, and the next signed one is', async () => {
    const repository = await server.createRepository(`unverified-${count++}`)
    await commit(repository, 'evil', signedBy(eve))
    const source = gitSource({ url: repository.url, ref: 'main', verify: verifySignatures(adasKey) })
    const target = memoryTarget()
    await using reconciler = createReconciler({ applications: [{ name: 'shop', source, target }] })
    expect(await reconciler.reconcile('shop')).toMatchObject({
      outcome: 'failed',
      error: { code: 'REVISION_UNVERIFIED', retryable: false },
    })
    await expect(reconciler.plan('shop')).rejects.toMatchObject({ code: 'REVISION_UNVERIFIED' })
    expect(target.live.size).toBe(0)
    await repository.commit({ 'flag/evil.json': null })
    await commit(repository, 'a', signedBy(ada))
    expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied' })
  })
})

describe('G26: after a restart, while the newest revision is refused', () => {
  const flag = { kind: 'flag', name: 'a' }

  /** Eve pushed, the process ended, and somebody edited the target meanwhile. */
  async function restarted(options: Parameters<typeof open>[1] = {}) {
    const shop = await verifiedShop()
    await shop.reconciler[Symbol.asyncDispose]()
    await commit(shop.repository, 'evil', signedBy(eve))
    shop.target.system.edit(flag, { on: false })
    const writes = shop.target.counts.write
    return { ...shop, ...open(shop, options), writes }
  }

  test('the last verified one is read again, proved again, and healed', async () => {
    const { reconciler, events, target, good, names, poll, told } = await restarted()
    const ready = told('ready')
    reconciler.start()
    await ready
    for (let i = 0; i < 3; i++) await poll()
    expect(target.live.get('flag a') ?? [...target.live.values()][0]).toMatchObject({ body: { on: true } })
    expect(names()).toEqual(['a'])
    expect(reconciler.status('shop')).toMatchObject({ ready: { id: good }, error: { code: 'REVISION_UNVERIFIED' } })
    expect(events.filter(({ type }) => type === 'failed')).toHaveLength(1)
    await reconciler[Symbol.asyncDispose]()
  })

  test('the next signed one comes into force', async () => {
    const { reconciler, repository, names, poll, told } = await restarted()
    const ready = told('ready')
    reconciler.start()
    await ready
    await repository.commit({ 'flag/evil.json': null })
    const next = await commit(repository, 'b', signedBy(ada))
    const newer = told('ready')
    await poll()
    await newer
    expect(names()).toEqual(['a', 'b'])
    expect(reconciler.status('shop')).toMatchObject({ ready: { id: next } })
    await reconciler[Symbol.asyncDispose]()
  })

  const unusable: readonly (readonly [string, Parameters<typeof open>[1]])[] = [
    ['is no longer trusted', { ssh: [] }],
    ['is not what its signer is trusted with any more', { mode: 'both' }],
    ['declares something else now', { path: 'flag' }],
  ]
  test.each(unusable)(
    'a last one that %s is not healed: nothing is written, and a person is told',
    async (_, options) => {
      const { reconciler, target, writes, told } = await restarted(options)
      const failed = told('failed')
      reconciler.start()
      expect(await failed).toMatchObject({ error: { code: 'REVISION_UNVERIFIED' } })
      expect(target.counts.write).toBe(writes)
      expect(reconciler.status('shop')).toMatchObject({ error: { code: 'REVISION_UNVERIFIED' } })
      await reconciler[Symbol.asyncDispose]()
    },
  )

  test('a person who asks for a run is told why there is nothing newer', async () => {
    const { reconciler, names } = await restarted()
    const result = await reconciler.reconcile('shop')
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'REVISION_UNVERIFIED' } })
    expect(names()).toEqual(['a'])
    await reconciler[Symbol.asyncDispose]()
  })
})

test('G26: nobody can be rolled back to a commit that no trusted key signed', async () => {
  const { reconciler, repository, names, told } = await verifiedShop()
  const evil = await commit(repository, 'evil', signedBy(eve))
  const failed = told('failed')
  await reconciler.rollback('shop', { to: { id: evil }, by: 'eve', reason: 'mine' })
  expect(await failed).toMatchObject({ error: { code: 'REVISION_UNVERIFIED', details: { reason: 'untrusted' } } })
  expect(names()).toEqual(['a'])
  await reconciler[Symbol.asyncDispose]()
})

test('G26: nothing is committed, and signed, on top of a commit that no trusted key signed', async () => {
  const { repository, reconciler } = await verifiedShop()
  await reconciler[Symbol.asyncDispose]()
  const evil = await commit(repository, 'evil', signedBy(eve))
  const signed: string[] = []
  const sign = async (payload: Uint8Array): Promise<string> => {
    signed.push(Buffer.from(payload).toString())
    return ''
  }
  const committer = { name: 'Platform', email: 'platform@example.com' }
  const verify = verifySignatures(adasKey)
  const source = gitSource({ url: repository.url, ref: 'main', verify, write: { committer, sign } })
  const edit = { message: 'Promote', files: new Map([['flag/a.json', Buffer.from('{"on":false}')]]) }
  await expect(source.writer?.commit(() => edit, createCall())).rejects.toMatchObject({ code: 'REVISION_UNVERIFIED' })
  expect(signed).toEqual([])
  expect(await repository.git('rev-parse', 'main')).toBe(evil)
})

test('G27: a revision that a signed tag let in is proved by that tag again', async () => {
  const { repository, good } = await verifiedShop()
  const object = `object ${good}\ntype commit\ntag v1.0.0\ntagger Ada <ada@example.com> 1 +0000\n\nOne\n`
  const armor = signatureHeader(object, ada).replace('gpgsig ', '').replaceAll('\n ', '\n')
  const hash = ['hash-object', '-t', 'tag', '-w', '--stdin']
  const tag = await runGit(hash, { cwd: repository.folder, input: `${object}${armor}` })
  await repository.git('update-ref', 'refs/tags/v1.0.0', tag)
  const verify = verifySignatures({ ...adasKey, mode: 'both' })
  const source = gitSource({ url: repository.url, ref: { semver: '^1' }, verify })
  const snapshot = await source.snapshot({ id: good }, createCall())
  expect(await snapshot.digest('', createCall())).toMatch(/^[0-9a-f]{40}$/)
  await repository.git('tag', '--delete', 'v1.0.0')
  const later = gitSource({ url: repository.url, ref: { semver: '^1' }, verify })
  await expect(later.snapshot({ id: good }, createCall())).rejects.toMatchObject({ code: 'REVISION_UNVERIFIED' })
})
