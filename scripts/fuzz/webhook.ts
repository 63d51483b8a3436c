import { type Clock, type WebhookHandler, createWebhookHandler, githubWebhook } from '@gitops-sdk/core'

/**
 * A handler that is asked without what is not tried here and takes ten times as long as the rest: requests of the
 * platform, timers, and a proof, which would refuse nearly every body. What may stand in a body is all that is left.
 */
export function provedBodies(): (body: Uint8Array) => Promise<Response> {
  const handle: WebhookHandler = createWebhookHandler({
    reconciler: { trigger: () => {} },
    providers: [{ ...githubWebhook({ secret: 'fuzz-secret-of-some-length' }), verify: async () => true }],
    repositories: { 'https://git.example/acme/shop': ['shop'] },
    clock: standing,
  })
  return (body) => handle(requestOf(body))
}

/** Nothing is due as long as no time passes. */
const standing: Clock = { now: () => 0, monotonic: () => 0, setTimer: () => ({ cancel: () => {} }) }
const headers = new Headers({ 'x-github-event': 'push', 'x-hub-signature-256': 'sha256=00' })

function requestOf(body: Uint8Array): Request {
  const chunks = [body]
  const read = async (): Promise<object> => {
    const value = chunks.pop()
    return value === undefined ? { done: true } : { done: false, value }
  }
  const stream = { getReader: () => ({ read, cancel: async () => {} }) }
  // The handler reads no more of a request than this.
  return { method: 'POST', headers, body: stream } as unknown as Request
}
