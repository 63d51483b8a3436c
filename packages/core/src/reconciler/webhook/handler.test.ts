import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../../testing/clock.ts'
import { type WebhookHandler, type WebhookOptions, createWebhookHandler } from './handler.ts'
import { repositoryKey } from './payload.ts'
import {
  type WebhookProvider,
  bitbucketWebhook,
  genericWebhook,
  giteaWebhook,
  githubWebhook,
  gitlabWebhook,
} from './provider.ts'

const SECRET = 'a-secret-of-some-length'
const REPOSITORY = 'https://git.example/acme/shop.git'
const hmac = (body: string | Uint8Array, secret = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('hex')

interface Bench {
  readonly handle: WebhookHandler
  readonly triggered: string[]
  readonly clock: ReturnType<typeof manualClock>
}
function bench(
  options: Partial<WebhookOptions> = {},
  providers: readonly WebhookProvider[] = [githubWebhook({ secret: SECRET })],
): Bench {
  const triggered: string[] = []
  const clock = manualClock(Date.UTC(2026, 10, 21))
  const handle = createWebhookHandler({
    reconciler: { trigger: (name) => void triggered.push(name) },
    providers,
    repositories: { [REPOSITORY]: ['shop'] },
    clock,
    ...options,
  })
  return { handle, triggered, clock }
}

let deliveries = 0
const push = (more: object = {}): string =>
  JSON.stringify({ after: String(deliveries), repository: { clone_url: REPOSITORY }, ...more })
function github(body: BodyInit & (string | Uint8Array), headers: Readonly<Record<string, string>> = {}): Request {
  return new Request('http://host.example/hooks', {
    method: 'POST',
    body,
    headers: {
      'x-github-event': 'push',
      'x-github-delivery': `delivery-${deliveries++}`,
      'x-hub-signature-256': `sha256=${hmac(body)}`,
      ...headers,
    },
  })
}

describe('every provider has its source asked sooner', () => {
  const send = (headers: Readonly<Record<string, string>>, body: string): Request =>
    new Request('http://host.example/', { method: 'POST', body, headers })
  const data = JSON.stringify({
    repository: { links: { clone: [{ href: 'ssh://git@git.example:7999/acme/shop.git' }] } },
  })
  const cloud = JSON.stringify({ repository: { links: { html: { href: 'https://git.example/acme/shop' } } } })
  const lab = JSON.stringify({ project: { git_ssh_url: 'git@git.example:acme/shop.git' } })
  const time = String(Date.UTC(2026, 10, 21) / 1000)
  const plain = JSON.stringify({ repository: REPOSITORY })
  const cases: readonly (readonly [string, WebhookProvider, Request])[] = [
    ['GitHub', githubWebhook({ secret: SECRET }), github(push())],
    [
      'Gitea and Forgejo',
      giteaWebhook({ secret: SECRET }),
      send({ 'x-gitea-event': 'push', 'x-gitea-signature': hmac(push()) }, push()),
    ],
    [
      'Bitbucket Cloud',
      bitbucketWebhook({ secret: SECRET }),
      send({ 'x-event-key': 'repo:push', 'x-hub-signature': `sha256=${hmac(cloud)}` }, cloud),
    ],
    [
      'Bitbucket Data Center',
      bitbucketWebhook({ secret: SECRET }),
      send({ 'x-event-key': 'repo:refs_changed', 'x-hub-signature': `sha256=${hmac(data)}` }, data),
    ],
    [
      'GitLab',
      gitlabWebhook({ secret: SECRET }),
      send({ 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': SECRET }, lab),
    ],
    [
      'a sender of our own',
      genericWebhook({ secret: SECRET }),
      send({ 'x-timestamp': time, 'x-signature': hmac(`${time}.${plain}`) }, plain),
    ],
  ]
  test.each(cases)('%s', async (_, provider, request) => {
    const { handle, triggered } = bench({}, [provider])
    const forge = (value: string): string => value.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    const headers = [...request.headers].map(([name, value]) => [
      name,
      /signature|token/.test(name) ? forge(value) : value,
    ])
    const forged = send(Object.fromEntries(headers), await request.clone().text())
    expect((await handle(forged)).status).toBe(401)
    expect(triggered).toEqual([])
    expect((await handle(request)).status).toBe(202)
    expect(triggered).toEqual(['shop'])
  })

  test('an old and a new secret both count while they are exchanged', async () => {
    const { handle, triggered } = bench({}, [githubWebhook({ secret: ['the-new-one-is-long-too', SECRET] })])
    expect((await handle(github(push()))).status).toBe(202)
    expect(triggered).toEqual(['shop'])
  })

  test('Gitea, which also signs like GitHub, is recognised beside GitHub with another secret', async () => {
    const body = push()
    const both = {
      'x-github-event': 'push',
      'x-hub-signature-256': `sha256=${hmac(body)}`,
      'x-gitea-event': 'push',
      'x-gitea-signature': hmac(body),
    }
    const { handle, triggered } = bench({}, [
      githubWebhook({ secret: 'another-secret-of-github' }),
      giteaWebhook({ secret: SECRET }),
    ])
    expect((await handle(send(both, body))).status).toBe(202)
    expect(triggered).toEqual(['shop'])
  })

  test('a ping is accepted and has no effect', async () => {
    const { handle, triggered } = bench()
    expect((await handle(github('{"zen":"x"}', { 'x-github-event': 'ping' }))).status).toBe(202)
    expect(triggered).toEqual([])
  })
})

describe('W01: a body is bounded in size and time', () => {
  const endless = (pulled: { bytes: number }): ReadableStream<Uint8Array> =>
    new ReadableStream({
      pull: (controller) => {
        pulled.bytes += 65_536
        controller.enqueue(new Uint8Array(65_536))
      },
    })
  const streamed = (body: ReadableStream<Uint8Array>, headers: Readonly<Record<string, string>> = {}): Request =>
    new Request('http://host.example/', {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hmac('')}`, ...headers },
    } as RequestInit)

  test('W01: an endless one is cut at the limit', async () => {
    const pulled = { bytes: 0 }
    expect((await bench().handle(streamed(endless(pulled)))).status).toBe(413)
    expect(pulled.bytes).toBeLessThan(1_048_576 + 3 * 65_536)
  })

  test('W01: one that says it is 1 GB is not read at all', async () => {
    const pulled = { bytes: 0 }
    const request = streamed(endless(pulled), { 'content-length': '1000000000' })
    expect((await bench().handle(request)).status).toBe(413)
    expect(pulled.bytes).toBeLessThanOrEqual(65_536)
  })

  test('W01: a compressed one is refused, so that nothing is inflated', async () => {
    expect((await bench().handle(github(push(), { 'content-encoding': 'gzip' }))).status).toBe(415)
  })

  test('W01: one that trickles is given up after the limit', async () => {
    const { handle, clock } = bench()
    const response = handle(
      streamed(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })),
    )
    await clock.advance(10_001)
    expect((await response).status).toBe(408)
  })

  test('W01: only so many are read at the same time', async () => {
    const { handle, clock } = bench({ limits: { maxConcurrent: 2 } })
    const slow = [0, 1].map(() => handle(streamed(new ReadableStream())))
    expect((await handle(github(push()))).status).toBe(503)
    await clock.advance(10_001)
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([408, 408])
    expect((await handle(github(push()))).status).toBe(202)
  })
})

describe('W03: only configured providers exist', () => {
  const headers: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['Gogs', { 'x-gogs-event': 'push', 'x-gogs-signature': hmac('[') }],
    ['Bitbucket', { 'x-event-key': 'repo:push', 'x-hub-signature': `sha256=${hmac('[')}` }],
    ['Azure', { authorization: `Basic ${btoa(`user:${SECRET}`)}` }],
    ['GitLab', { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': SECRET }],
    ['W08: an OIDC token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }],
    ['nobody', {}],
  ]
  test.each(headers)('%s is refused before its body is read', async (_, given) => {
    const request = new Request('http://host.example/', { method: 'POST', body: '[{"malformed', headers: given })
    expect((await bench().handle(request)).status).toBe(401)
    expect(request.bodyUsed).toBe(false)
  })

  test('another method is refused', async () => {
    expect((await bench().handle(new Request('http://host.example/'))).status).toBe(405)
  })
})

describe('W04: a signed body that is not what it should be is answered with 400', () => {
  const bodies = [
    'null',
    '[]',
    '{}',
    '1',
    '"text"',
    '',
    '{',
    '{"repository":null}',
    '{"repository":7}',
    '{"repository":{}}',
    '{"repository":{"clone_url":7}}',
    '{"repository":{"clone_url":{"toString":1}}}',
    '{"repository":[]}',
    '{"__proto__":{"repository":{"clone_url":"https://git.example/acme/shop"}}}',
    '{"commits":null}',
    `${'['.repeat(100_000)}`,
    `{"repository":{"clone_url":"${'x'.repeat(100_000)}"}}`,
  ]
  test.each(bodies.map((body) => [body.slice(0, 60), body] as const))('%s', async (_, body) => {
    const { handle, triggered } = bench()
    expect((await handle(github(body))).status).toBe(400)
    expect(triggered).toEqual([])
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test('W04: bytes that are no text', async () => {
    expect((await bench().handle(github(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)))).status).toBe(400)
  })
})

describe('W05: a delivery counts once', () => {
  test('W05: a hundred times the same has one effect', async () => {
    const { handle, triggered, clock } = bench()
    const body = push()
    for (let i = 0; i < 100; i++) {
      expect((await handle(github(body, { 'x-github-delivery': 'same' }))).status).toBe(202)
      await clock.advance(10_000)
    }
    expect(triggered).toEqual(['shop'])
  })

  test('W05: also with another id, because the id is not signed', async () => {
    const { handle, triggered, clock } = bench()
    const body = push()
    await handle(github(body))
    await clock.advance(10_000)
    await handle(github(body))
    expect(triggered).toEqual(['shop'])
  })

  test('W05: one that was sent two hours ago is refused, after a restart as well', async () => {
    const hourMs = 3_600_000
    const { handle, triggered, clock } = bench()
    const old = push({ repository: { clone_url: REPOSITORY, pushed_at: (clock.now() - 2 * hourMs) / 1000 } })
    expect((await handle(github(old))).status).toBe(400)
    const generic = bench({}, [genericWebhook({ secret: SECRET })])
    for (const time of [String((clock.now() - 2 * hourMs) / 1000), 'soon', '', '1e999']) {
      const headers = { 'x-timestamp': time, 'x-signature': hmac(`${time}.${push()}`) }
      const request = new Request('http://host.example/', { method: 'POST', body: push(), headers })
      expect((await generic.handle(request)).status).toBe(400)
    }
    expect([...triggered, ...generic.triggered]).toEqual([])
  })
})

describe('W06: many deliveries are few triggers', () => {
  test('W06: 10 000 for one repository within a second are two', async () => {
    const { handle, triggered, clock } = bench()
    for (let i = 0; i < 10_000; i++) await handle(github(push({ i })))
    await clock.advance(60_000)
    expect(triggered).toEqual(['shop', 'shop'])
  })

  test('W06: for 1 000 repositories they are spread out, each once', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `app-${index}`)
    const repositories = Object.fromEntries(names.map((name) => [`https://git.example/acme/${name}`, [name]]))
    const { handle, triggered, clock } = bench({ repositories })
    for (const name of names)
      await handle(github(push({ repository: { clone_url: `https://git.example/acme/${name}` } })))
    await clock.advance(1_000)
    expect(triggered.length).toBeLessThanOrEqual(52)
    await clock.advance(30_000)
    expect(triggered.toSorted()).toEqual(names.toSorted())
  })
})

describe('W09, W10: what is known stays unknown, and what is sent is not believed', () => {
  test('W09: a repository that is not known is answered like one that is', async () => {
    const { handle, triggered } = bench()
    const known = await handle(github(push()))
    const unknown = await handle(github(push({ repository: { clone_url: 'https://git.example/acme/other' } })))
    const seen = async (response: Response): Promise<object> => ({
      status: response.status,
      headers: [...response.headers],
      body: await response.text(),
    })
    expect(await seen(unknown)).toEqual(await seen(known))
    expect(triggered).toEqual(['shop'])
  })

  test('W10: refs and revisions of any kind reach nobody', async () => {
    const { handle, triggered } = bench()
    const body = push({ ref: 'refs/heads/$(id)', after: '; rm -rf /', before: null, commits: null })
    expect((await handle(github(body))).status).toBe(202)
    expect(triggered).toEqual(['shop'])
  })

  test('an application that was removed meanwhile does not fail the request', async () => {
    const reconciler = {
      trigger: (): void => {
        throw new Error('gone')
      },
    }
    expect((await bench({ reconciler }).handle(github(push()))).status).toBe(202)
  })
})

describe('an address of a repository is compared', () => {
  const same = [
    'https://git.example/acme/shop',
    'https://git.example/acme/shop/',
    'http://Git.Example/Acme/Shop.git',
    'git@git.example:acme/shop.git',
    'ssh://git@git.example:2222/acme/shop.git',
    'https://user:token@git.example/acme/shop',
  ]
  test.each(same)('%s', (address) => expect(repositoryKey(address)).toBe('git.example/acme/shop'))
  test.each([
    '',
    'shop',
    'https://git.example',
    'https://git.example/',
    'file:///etc/passwd',
    `https://h/${'x'.repeat(3000)}`,
  ])('not at all: %s', (address) => expect(repositoryKey(address)).toBeUndefined())
})

test('a short secret and an address that is none are refused at once', () => {
  expect(() => githubWebhook({ secret: 'short' })).toThrow('githubWebhook needs a secret of 16 characters')
  expect(() => githubWebhook({ secret: [] })).toThrow('githubWebhook needs a secret')
  expect(() => bench({ repositories: { shop: ['shop'] } })).toThrow('"shop" is no address')
})
