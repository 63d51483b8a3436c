import { lookup } from 'node:dns'
import { expect, test } from 'vitest'
import { gitSource } from '../../src/git.ts'
import { type LookupAll, createCall, destinationGuard } from '../../src/index.ts'

// The resolver is played: nothing leaves this machine, not even a question.
const answering =
  (...addresses: readonly string[]): LookupAll =>
  (_hostname, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

const refused: readonly (readonly [string, readonly string[]])[] = [
  ['this machine', ['127.0.0.1']],
  ['a private network', ['10.1.2.3']],
  ['the metadata service', ['169.254.169.254']],
  ['a private network in IPv6', ['fd00::1']],
  ['this machine in another notation', ['::ffff:127.0.0.1']],
  ['one good and one bad answer', ['93.184.215.14', '127.0.0.1']],
]
test.each(refused)('G21: a Git source is not led to %s', async (_, addresses) => {
  const network = { lookup: destinationGuard(answering(...addresses)).lookup }
  await using source = gitSource({ url: 'http://git.example/x', network, retry: { maxAttempts: 1, baseDelayMs: 1 } })
  const error: unknown = await source.resolve(createCall()).catch((reason: unknown) => reason)
  const codes = [error, error instanceof Error ? error.cause : undefined]
  expect(codes).toContainEqual(expect.objectContaining({ code: 'DESTINATION_DENIED' }))
})

test.each(refused)('G21: a guard as a whole keeps a Git source from %s', async (_, addresses) => {
  const network = { destinations: destinationGuard(answering(...addresses)) }
  await using source = gitSource({ url: 'http://git.example/x', network, retry: { maxAttempts: 1, baseDelayMs: 1 } })
  const error: unknown = await source.resolve(createCall()).catch((reason: unknown) => reason)
  const codes = [error, error instanceof Error ? error.cause : undefined]
  expect(codes).toContainEqual(expect.objectContaining({ code: 'DESTINATION_DENIED' }))
})

const literals = ['http://127.0.0.1:1/x', 'https://[::1]/x', 'https://169.254.169.254/x', 'http://10.0.0.1/x']
test.each([...literals, 'http://localhost/x', 'http://0x7f000001/x', 'http://2130706433/x'])(
  'G21: a Git source at %s, which no resolver is asked about, is refused before anything is sent',
  (url) => {
    const unasked: LookupAll = () => expect.unreachable('nobody asks for a literal address')
    expect(() => gitSource({ url, network: { destinations: destinationGuard(unasked) } })).toThrow(
      expect.objectContaining({ code: 'DESTINATION_DENIED' }),
    )
  },
)

test('G21: a guard is refused where it could not see what is connected to', () => {
  const network = { destinations: destinationGuard(lookup) }
  const ssh = { knownHostsFile: '/known_hosts' }
  expect(() => gitSource({ url: 'git@git.example:x', ssh, network })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

test('the resolver of Node fits', () => {
  expect(() => destinationGuard(lookup).assertHost('169.254.169.254')).toThrow('link-local')
})
