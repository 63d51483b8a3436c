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

test('the resolver of Node fits', () => {
  expect(() => destinationGuard(lookup).assertHost('169.254.169.254')).toThrow('link-local')
})
