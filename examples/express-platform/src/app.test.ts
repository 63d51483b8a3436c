import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Stage, WEBHOOK_SECRET, createStage } from './stage.ts'

let stage: Stage
beforeEach(async () => void (stage = await createStage()))
afterEach(() => stage[Symbol.asyncDispose]())

const api = (path: string) => `${stage.url}/api/applications${path}`
const get = async (path: string) => (await fetch(api(path))).json()
const post = (path: string, body: unknown) =>
  fetch(api(path), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

test('drift is shown with before and after, and healed by a person', async () => {
  await stage.tamper({ enabled: false, rollout: 25 })
  await post('/shop/reconcile', {})
  const { state, explanation } = await get('/shop')
  expect(state.drift).toMatchObject([{ fields: [{ path: '/enabled', before: false, after: true }] }])
  expect(explanation.sentence).toContain('was changed outside of its source')
  expect(await get('')).toMatchObject([{ name: 'shop', alignment: 'drifted', health: 'healthy' }])

  expect(await (await post('/shop/reconcile', { heal: true })).json()).toEqual({ outcome: 'applied' })
  expect(await stage.read()).toMatchObject({ enabled: true })
  expect((await get('/shop')).state.drift).toEqual([])
})

test('a big step waits for an approval of exactly its plan', async () => {
  await stage.commit(100)
  await post('/shop/reconcile', {})
  const { state, plan } = await get('/shop')
  expect(state.pending.fingerprint).toBe(plan.fingerprint)
  const wrong = await post('/shop/approve', { fingerprint: 'another' })
  expect([wrong.status, (await wrong.json()).error.code]).toEqual([409, 'APPROVAL_MISMATCH'])
  expect((await post('/shop/approve', { fingerprint: plan.fingerprint })).status).toBe(202)
  await stage.reconciler.reconcile('shop')
  expect(await stage.read()).toMatchObject({ rollout: 100 })
  expect((await get('/shop')).history[0]).toMatchObject({ outcome: 'applied', approvedBy: 'ada' })
})

test('a rollback brings the earlier revision back, with a commit', async () => {
  const good = (await get('/shop')).history[0].revision.id
  await stage.commit(50)
  await post('/shop/reconcile', {})
  expect(await stage.read()).toMatchObject({ rollout: 50 })
  const response = await post('/shop/rollback', { to: good, reason: 'complaints' })
  expect(response.status).toBe(202)
  await vi.waitFor(async () => expect(await stage.read()).toMatchObject({ rollout: 25 }), 10_000)
  expect(await stage.repository.git('show', 'main:flags.yaml')).toContain('rollout: 25')
})

test('events arrive as they happen, and a reader who leaves is forgotten', async () => {
  const leave = new AbortController()
  const response = await fetch(`${stage.url}/api/events`, { signal: leave.signal })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  await stage.commit(30)
  await post('/shop/reconcile', {})
  let received = ''
  while (!received.includes('"type":"ready"')) received += (await reader.read()).value ?? ''
  expect(received).toMatch(/^id: \d+\ndata: \{"application":"shop","type":"resolved"/m)
  leave.abort()
})

test('a signed webhook has the source asked at once', async () => {
  await stage.commit(40)
  const body = JSON.stringify({ repository: { clone_url: stage.repository.url } })
  const signature = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex')
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-hub-signature-256': `sha256=${signature}`,
  }
  expect((await fetch(`${stage.url}/hooks`, { method: 'POST', headers, body })).status).toBe(202)
  await vi.waitFor(async () => expect(await stage.read()).toMatchObject({ rollout: 40 }), 10_000)
})

test.each([
  ['/nothing', undefined, 404],
  ['/shop/rollback', { to: 'abc', reason: 'x' }, 404],
  ['/shop/rollback', { to: 'abc' }, 400],
  ['/shop/approve', {}, 400],
])('%s with %j answers %i with a code', async (path, body, status) => {
  const response = body === undefined ? await fetch(api(path)) : await post(path, body)
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ error: { code: expect.any(String) } })
})

test('a form of another site cannot ask for anything', async () => {
  const headers = { 'content-type': 'text/plain' }
  const response = await fetch(api('/shop/reconcile'), { method: 'POST', headers, body: '{"heal":true}' })
  expect(response.status).toBe(400)
})

test('the page comes with a policy that runs no foreign script', async () => {
  const response = await fetch(stage.url)
  expect(response.headers.get('content-security-policy')).toBe("default-src 'self'")
  expect(await response.text()).toContain('page.js')
})
