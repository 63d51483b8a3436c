import { type WebhookHandler, createWebhookHandler, githubWebhook, gitlabWebhook } from '@gitops-sdk/core'

/** A handler for the webhooks of two providers that has the application `shop` looked at when its repository changes. */
export function receiveWebhooks(reconciler: { trigger(application: string): void }, secret: string): WebhookHandler {
  return createWebhookHandler({
    reconciler,
    providers: [githubWebhook({ secret }), gitlabWebhook({ secret })],
    repositories: { 'https://git.example/acme/shop': ['shop'] },
  })
}
