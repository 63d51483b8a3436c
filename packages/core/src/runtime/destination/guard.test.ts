import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AddressClass, classifyAddress } from './address.ts'
import { type LookupAll, type ResolvedAddress, destinationGuard } from './guard.ts'

const classes: readonly (readonly [string, AddressClass])[] = [
  ['8.8.8.8', 'public'],
  ['2606:4700::1111', 'public'],
  ['0.0.0.0', 'unspecified'],
  ['::', 'unspecified'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['10.1.2.3', 'private'],
  ['172.15.255.255', 'public'],
  ['172.16.0.0', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', 'public'],
  ['192.168.1.1', 'private'],
  ['fd00::1', 'private'],
  ['fc00::', 'private'],
  ['100.64.0.1', 'shared'],
  ['100.128.0.0', 'public'],
  ['169.254.169.254', 'link-local'],
  ['fe80::1', 'link-local'],
  ['224.0.0.1', 'multicast'],
  ['ff02::1', 'multicast'],
  ['255.255.255.255', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['2001:db8::1', 'reserved'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:8.8.8.8', 'public'],
  ['::127.0.0.1', 'reserved'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['2002:7f00:1::', 'loopback'],
  ['2001::1', 'reserved'],
  ['2130706433', 'invalid'],
  ['0177.0.0.1', 'invalid'],
  ['127.1', 'invalid'],
  ['0x7f000001', 'invalid'],
  ['256.1.1.1', 'invalid'],
  ['1.2.3.4.5', 'invalid'],
  ['fe80::1%eth0', 'invalid'],
  ['1::2::3', 'invalid'],
  ['1:2:3:4:5:6:7:8:9', 'invalid'],
  [':::', 'invalid'],
  ['example.com', 'invalid'],
  ['', 'invalid'],
]
test.each(classes)('G21: %s is %s', (address, expected) => expect(classifyAddress(address)).toBe(expected))

test('G21: an IPv4 address means the same inside an IPv6 one', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(classifyAddress(`::ffff:${address}`)).toBe(classifyAddress(address))
      expect(classifyAddress(`64:ff9b::${address}`)).toBe(classifyAddress(address))
    }),
  )
})

test('G21: every IPv6 address that can be written has a class', () => {
  fc.assert(fc.property(fc.ipV6(), (address) => classifyAddress(address) !== 'invalid'))
})

describe('a connection', () => {
  const answers: Readonly<Record<string, readonly string[]>> = {
    'git.example': ['93.184.215.14'],
    'rebound.example': ['93.184.215.14', '127.0.0.1'],
    'inside.example': ['10.0.0.7'],
    'mapped.example': ['::ffff:169.254.169.254'],
    localhost: ['127.0.0.1'],
  }
  const asked: string[] = []
  const resolve: LookupAll = (hostname, _, callback) => {
    asked.push(hostname)
    const found = (answers[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    callback(found.length === 0 ? new Error('ENOTFOUND') : null, found)
  }
  const lookup = (hostname: string, allow: readonly string[] = []): Promise<string | ResolvedAddress[]> =>
    new Promise((done, failed) =>
      destinationGuard(resolve, { allow }).lookup(hostname, {}, (error, address) =>
        error === null ? done(address) : failed(error),
      ),
    )

  test('goes to the address that was checked, resolved exactly once', async () => {
    asked.length = 0
    expect(await lookup('git.example')).toBe('93.184.215.14')
    expect(asked).toEqual(['git.example'])
  })

  test.each(['rebound.example', 'inside.example', 'mapped.example', 'localhost', 'localhost.'])(
    'G21: to %s is refused',
    async (hostname) => {
      await expect(lookup(hostname.replace(/\.$/, ''))).rejects.toMatchObject({ code: 'DESTINATION_DENIED' })
    },
  )

  const literals = ['127.0.0.1', '[::1]', '2130706433', '0x7f.1', 'localhost.', 'a.localhost', '[::ffff:127.0.0.1]', '']
  test.each(literals)('G21: to the literal %j is refused before anything is asked', (hostname) => {
    expect(() => destinationGuard(resolve).assertHost(hostname)).toThrow(/are refused/)
  })

  test.each([['10.0.0.7'], ['10.0.0.0/8'], ['Inside.example']])('is made where %s is allowed', async (rule) => {
    expect(await lookup('inside.example', [rule])).toBe('10.0.0.7')
  })

  test('is not made where another range is allowed', async () => {
    await expect(lookup('inside.example', ['192.168.0.0/16', '10.0.0.8'])).rejects.toThrow('is private')
  })

  test('tells why a name could not be resolved', async () => {
    await expect(lookup('nowhere.example')).rejects.toThrow('ENOTFOUND')
  })
})
