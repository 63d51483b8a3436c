import { generateKeyPairSync, sign as signWith, type KeyObject } from 'node:crypto'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as openpgp from 'openpgp'
import { describe, expect, test } from 'vitest'
import { parseAllowedSigners } from './allowed-signers.ts'
import { wireString } from './bytes.ts'
import { openPgpVerifier } from './openpgp.ts'
import type { RawObject } from './signed-object.ts'
import type { UnverifiedReason } from './unverified.ts'
import { type Trust, verifyCommit, verifyTag } from './verify.ts'

/** Made by git with ssh-keygen and gpg; see test/signatures/make.sh. */
interface Vector {
  readonly name: string
  readonly type: 'commit' | 'tag'
  readonly id: string
  readonly raw: string
  readonly key: string
}
const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../../../test/signatures/vectors.json', import.meta.url), 'utf8'),
)
const NOW = Date.UTC(2027, 0, 1)
const isSsh = ({ key }: Vector): boolean => /^(ssh|ecdsa)-/.test(key)
const rawOf = ({ id, raw }: Vector): RawObject => ({ id, raw: Buffer.from(raw, 'base64') })
const vector = (name: string, type: 'commit' | 'tag'): Vector => {
  const found = vectors.find((one) => one.name === name && one.type === type)
  if (found === undefined) throw new Error(`no vector ${name}`)
  return found
}
async function trustIn(...keys: readonly Vector[]): Promise<Trust> {
  const ssh = keys.filter(isSsh).map(({ key }) => `ada@example.com namespaces="git" ${key}`)
  const armoredKeys = keys.filter((key) => !isSsh(key)).map(({ key }) => Buffer.from(key, 'base64').toString())
  const verifier = armoredKeys.length === 0 ? {} : { openpgp: await openPgpVerifier({ openpgp, armoredKeys }) }
  return { ssh: parseAllowedSigners(ssh.join('\n')), ...verifier }
}
const idOf = (type: 'commit' | 'tag', raw: Uint8Array): string =>
  createHash('sha1').update(`${type} ${raw.length}\0`).update(raw).digest('hex')
const text = (raw: Uint8Array): string => Buffer.from(raw).toString('latin1')
/** The same object with its text changed and a matching id: what a hostile server would offer. */
const forged = (type: 'commit' | 'tag', { raw }: RawObject, change: (text: string) => string): RawObject => {
  const bytes = Buffer.from(change(text(raw)), 'latin1')
  return { id: idOf(type, bytes), raw: bytes }
}
const refusal = (reason: UnverifiedReason): object => ({
  code: 'REVISION_UNVERIFIED',
  retryable: false,
  details: { reason },
})

describe('what git signed is accepted', () => {
  test.each(vectors.filter(({ type }) => type === 'commit').map((one) => [one.name, one] as const))(
    'a commit by %s',
    async (_, one) => {
      const signer = await verifyCommit(rawOf(one), await trustIn(one), NOW)
      expect(signer).toEqual(
        isSsh(one)
          ? { kind: 'ssh', name: 'ada@example.com' }
          : { kind: 'openpgp', name: expect.stringContaining('@example.com>') },
      )
    },
  )

  test.each(vectors.filter(({ type }) => type === 'tag').map((one) => [one.name, one] as const))(
    'a tag by %s, for the commit it points to and its own name',
    async (_, one) => {
      const [commit = ''] = /[0-9a-f]{40}/.exec(text(rawOf(one).raw)) ?? []
      const name = one.name === 'ed25519' ? 'v1' : `by-${one.name}`
      const tag = { ...rawOf(one), name }
      const trust = await trustIn(one)
      await expect(verifyTag(tag, commit, trust, NOW)).resolves.toBeDefined()
      await expect(verifyTag(tag, '0'.repeat(40), trust, NOW)).rejects.toMatchObject(refusal('wrong-target'))
      await expect(verifyTag({ ...tag, name: 'v2' }, commit, trust, NOW)).rejects.toMatchObject(refusal('wrong-target'))
    },
  )
})

describe('G26: a commit is refused', () => {
  const ed25519 = vector('ed25519', 'commit')
  const ada = vector('ada', 'commit')
  const twice = (raw: string): string => raw.replace(/gpgsig (?:.*\n)(?: .*\n)*/, (header) => header + header)
  const cases: readonly (readonly [string, UnverifiedReason, RawObject, readonly Vector[]])[] = [
    [
      'unsigned',
      'unsigned',
      forged('commit', rawOf(ed25519), (raw) => raw.replace(/gpgsig (?:.*\n)(?: .*\n)*/, '')),
      [ed25519],
    ],
    ['signed by an unknown SSH key', 'untrusted', rawOf(ed25519), [vector('rsa', 'commit')]],
    ['signed by an unknown OpenPGP key', 'untrusted', rawOf(ada), [vector('grace', 'commit')]],
    ['signed by OpenPGP where only SSH is trusted', 'untrusted', rawOf(ada), [ed25519]],
    ['with its message changed', 'tampered', forged('commit', rawOf(ed25519), (raw) => `${raw}!`), [ed25519]],
    ['with its message changed (OpenPGP)', 'tampered', forged('commit', rawOf(ada), (raw) => `${raw}!`), [ada]],
    [
      'with its committer changed',
      'tampered',
      forged('commit', rawOf(ed25519), (raw) => raw.replace('committer Ada', 'committer Eve')),
      [ed25519],
    ],
    [
      'with its parent changed',
      'tampered',
      forged('commit', rawOf(vector('rsa', 'commit')), (raw) => raw.replace(/parent ./, 'parent 0')),
      [vector('rsa', 'commit')],
    ],
    ['with two signatures', 'several-signatures', forged('commit', rawOf(ed25519), twice), [ed25519]],
    [
      'with the signature of another commit',
      'tampered',
      forged('commit', rawOf(vector('rsa', 'commit')), () =>
        text(rawOf(ed25519).raw).replace('signed with', 'moved to'),
      ),
      [ed25519],
    ],
    ['under the id of another', 'wrong-id', { ...rawOf(ed25519), id: ada.id }, [ed25519]],
    [
      'with a damaged signature',
      'malformed',
      forged('commit', rawOf(ed25519), (raw) => raw.replace('U1NIU0lH', 'U1NIU0lI')),
      [ed25519],
    ],
    [
      'with a signature of no known kind',
      'unsupported',
      forged('commit', rawOf(ed25519), (raw) => raw.replaceAll('SSH SIGNATURE', 'SIGNED MESSAGE')),
      [ed25519],
    ],
  ]
  test.each(cases)('%s: %s', async (_, reason, commit, keys) => {
    await expect(verifyCommit(commit, await trustIn(...keys), NOW)).rejects.toMatchObject(refusal(reason))
  })

  test('G26: whatever single byte of it is changed', async () => {
    const trust = await trustIn(ed25519)
    const { raw } = rawOf(ed25519)
    for (let at = 0; at < raw.length; at++) {
      const bytes = Uint8Array.from(raw)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      await expect(verifyCommit({ id: idOf('commit', bytes), raw: bytes }, trust, NOW)).rejects.toMatchObject({
        code: 'REVISION_UNVERIFIED',
      })
    }
  })

  const validity: readonly (readonly [string, UnverifiedReason | 'accepted'])[] = [
    ['valid-before="20261231"', 'expired'],
    ['valid-before="20270101000000Z"', 'expired'],
    ['valid-before="20270101000001Z"', 'accepted'],
    ['valid-after="20270102"', 'not-yet-valid'],
    ['valid-after="20270101"', 'accepted'],
    ['valid-after="20260101",valid-before="20280101"', 'accepted'],
    ['namespaces="file"', 'wrong-namespace'],
    ['namespaces="file,git"', 'accepted'],
  ]
  test.each(validity)('or not by a key with %s: %s', async (options, expected) => {
    const trust = { ssh: parseAllowedSigners(`ada@example.com ${options} ${ed25519.key}`) }
    const verdict = verifyCommit(rawOf(ed25519), trust, NOW)
    if (expected === 'accepted') await expect(verdict).resolves.toEqual({ kind: 'ssh', name: 'ada@example.com' })
    else await expect(verdict).rejects.toMatchObject(refusal(expected))
  })

  test('by an OpenPGP key that was revoked or has expired', async () => {
    const dayMs = 86_400_000
    const date = new Date(NOW - 10 * dayMs)
    const { privateKey, publicKey, revocationCertificate } = await openpgp.generateKey({
      userIDs: [{ name: 'Ada', email: 'ada@example.com' }],
      keyExpirationTime: (5 * dayMs) / 1000,
      date,
      format: 'object',
    })
    const unsigned = `tree ${'4'.repeat(40)}\n\nmessage\n`
    const message = await openpgp.createMessage({ binary: Buffer.from(unsigned) })
    const armored = await openpgp.sign({ message, signingKeys: privateKey, detached: true, date })
    const header = `gpgsig ${String(armored).replaceAll('\r', '').trimEnd().replaceAll('\n', '\n ')}\n`
    const raw = Buffer.from(unsigned.replace('\n\n', `\n${header}\n`))
    const commit = { id: idOf('commit', raw), raw }
    const trusting = async (armoredKey: string): Promise<Trust> => ({
      openpgp: await openPgpVerifier({ openpgp, armoredKeys: [armoredKey] }),
    })
    const trust = await trusting(publicKey.armor())
    expect(await verifyCommit(commit, trust, NOW - 6 * dayMs)).toMatchObject({ kind: 'openpgp' })
    await expect(verifyCommit(commit, trust, NOW)).rejects.toMatchObject(refusal('expired'))
    const revoked = await openpgp.revokeKey({ key: publicKey, revocationCertificate, format: 'armored', date })
    const revokedTrust = await trusting(revoked.publicKey)
    await expect(verifyCommit(commit, revokedTrust, NOW - 6 * dayMs)).rejects.toMatchObject(refusal('revoked'))
  })
})

describe('G27: a tag is refused', () => {
  const tag = vector('ed25519', 'tag')
  const named = (raw: RawObject): RawObject & { name: string } => ({ ...raw, name: 'v1' })
  const commit = /[0-9a-f]{40}/.exec(text(rawOf(tag).raw))?.[0] ?? ''
  const other = '1'.repeat(40)
  const cases: readonly (readonly [string, UnverifiedReason, RawObject])[] = [
    ['with its commit exchanged', 'tampered', forged('tag', rawOf(tag), (raw) => raw.replace(commit, other))],
    ['unsigned', 'unsigned', forged('tag', rawOf(tag), (raw) => raw.replace(/-----BEGIN[^]*/, ''))],
    [
      'with a second signature',
      'several-signatures',
      forged('tag', rawOf(tag), (raw) => raw + raw.slice(raw.indexOf('-----BEGIN'))),
    ],
    [
      'with a signature header',
      'several-signatures',
      forged('tag', rawOf(tag), (raw) => raw.replace('\n\n', '\ngpgsig x\n\n')),
    ],
    ['with something behind the signature', 'malformed', forged('tag', rawOf(tag), (raw) => `${raw}more\n`)],
  ]
  test.each(cases)('%s: %s', async (_, reason, forgery) => {
    await expect(verifyTag(named(forgery), commit, await trustIn(tag), NOW)).rejects.toMatchObject(refusal(reason))
  })
})

describe('a key on a hardware token', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const type = 'sk-ssh-ed25519@openssh.com'
  const key = Buffer.concat([wireString(type), wireString(point), wireString('ssh:')])
  const sha = (algorithm: string, data: Uint8Array): Buffer => createHash(algorithm).update(data).digest()
  const commitWith = (flags: number, hash = 'sha512', signer: KeyObject = privateKey): RawObject => {
    const unsigned = Buffer.from(`tree ${'4'.repeat(40)}\n\nmessage\n`)
    const digest = hash === 'sha1' ? sha('sha1', unsigned) : sha('sha512', unsigned)
    const parts = ['git', '', hash].map(wireString)
    const data = Buffer.concat([Buffer.from('SSHSIG'), ...parts, wireString(digest)])
    const trailer = Buffer.from([flags, 0, 0, 0, 7])
    const token = Buffer.concat([sha('sha256', Buffer.from('ssh:')), trailer, sha('sha256', data)])
    const signature = Buffer.concat([wireString(type), wireString(signWith(null, token, signer)), trailer])
    const version = Buffer.from([0, 0, 0, 1])
    const blob = Buffer.concat([Buffer.from('SSHSIG'), version, wireString(key), ...parts, wireString(signature)])
    const armor = blob.toString('base64').replace(/.{70}/g, '$&\n ')
    const header = `gpgsig -----BEGIN SSH SIGNATURE-----\n ${armor}\n -----END SSH SIGNATURE-----\n`
    const raw = Buffer.from(unsigned.toString().replace('\n\n', `\n${header}\n`))
    return { id: idOf('commit', raw), raw }
  }
  const trust = { ssh: parseAllowedSigners(`ada@example.com ${type} ${key.toString('base64')} token`) }

  test('counts when it was touched', async () => {
    expect(await verifyCommit(commitWith(1), trust, NOW)).toEqual({ kind: 'ssh', name: 'ada@example.com' })
  })
  test('does not count when nobody touched it', async () => {
    await expect(verifyCommit(commitWith(0), trust, NOW)).rejects.toMatchObject(refusal('tampered'))
  })
  test('does not count with another key or a weak hash', async () => {
    const other = generateKeyPairSync('ed25519').privateKey
    await expect(verifyCommit(commitWith(1, 'sha512', other), trust, NOW)).rejects.toMatchObject(refusal('tampered'))
    await expect(verifyCommit(commitWith(1, 'sha1'), trust, NOW)).rejects.toMatchObject(refusal('unsupported'))
  })
})

describe('an allowed_signers file', () => {
  const key = vector('ed25519', 'commit').key
  test('may have comments, blank lines, quoted and several principals, and any option git knows', () => {
    const file = `# people\n\nada@example.com,grace@example.com ${key} laptop\r\n"ada lovelace" valid-after="20260101",namespaces="git" ${key}`
    expect(parseAllowedSigners(file).map(({ principals }) => principals)).toEqual([
      'ada@example.com,grace@example.com',
      'ada lovelace',
    ])
    expect(parseAllowedSigners(file)[1]).toMatchObject({ validAfter: Date.UTC(2026, 0, 1), namespaces: ['git'] })
  })

  const refused: readonly (readonly [string, RegExp])[] = [
    [`ada@example.com cert-authority ${key}`, /Line 1 .*certificates are not supported/],
    [`\nada@example.com no-such-option="x" ${key}`, /Line 2 .*no-such-option is not supported/],
    ['ada@example.com ssh-dss AAAAB3NzaC1kc3M=', /Line 1 .*key type "ssh-dss"/],
    ['ada@example.com constructor AAAA', /Line 1 .*key type/],
    ['ada@example.com ssh-ed25519 AAAA', /Line 1 .*key cannot be read/],
    [`ada@example.com ssh-rsa ${key.split(' ')[1]}`, /Line 1 .*key cannot be read/],
    [`ada@example.com valid-before="20261331" ${key}`, /Line 1 .*is not a time/],
    [`ada@example.com valid-before="soon" ${key}`, /Line 1 .*is not a time/],
    ['ada@example.com', /Line 1 /],
  ]
  test.each(refused)('is refused as a whole for %j', (file, message) => {
    expect(() => parseAllowedSigners(file)).toThrow(message)
    expect(() => parseAllowedSigners(file)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  test('an OpenPGP key that cannot be read is refused, and so is no key at all', async () => {
    await expect(openPgpVerifier({ openpgp, armoredKeys: ['nonsense'] })).rejects.toThrow(
      'OpenPGP key 1 cannot be read',
    )
    await expect(openPgpVerifier({ openpgp, armoredKeys: [] })).rejects.toThrow('nothing could be verified')
  })
})
