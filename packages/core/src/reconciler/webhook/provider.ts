import { GitOpsError } from '../../runtime/errors.ts'
import { Secret } from '../../runtime/secret.ts'
import { member, texts } from './payload.ts'
import { fromHex, isOneOf, isSignedWith } from './signature.ts'

/** Who sends webhooks and how they prove it. Only the ones that are configured exist. */
export interface WebhookProvider {
  /** For logs: `github`. */
  readonly name: string
  /** Whether a request with these headers claims to come from here and carries a proof. Reads no body. */
  claims(headers: Headers): boolean
  /** Whether the proof holds for exactly these bytes. */
  verify(headers: Headers, body: Uint8Array): Promise<boolean>
  /** Identifies the delivery, where the provider says. */
  deliveryId(headers: Headers): string | undefined
  /** When it was sent, in epoch milliseconds, where something that is signed says so. */
  sentAt(headers: Headers, payload: unknown): number | undefined
  /** The addresses of the repositories that changed; `undefined` for an event that changes none, such as a ping. */
  repositories(headers: Headers, payload: unknown): readonly string[] | undefined
}

/** One secret, or the old and the new one while they are exchanged. */
export type WebhookSecret = string | Secret | readonly (string | Secret)[]

/** What every provider needs. */
export interface WebhookProviderOptions {
  /** At least 16 characters. */
  readonly secret: WebhookSecret
}

/** GitHub: HMAC-SHA-256 in `X-Hub-Signature-256`. */
export function githubWebhook(options: WebhookProviderOptions): WebhookProvider {
  return hmacProvider({
    name: 'github',
    secrets: secretsOf('githubWebhook', options),
    signature: 'x-hub-signature-256',
    prefix: 'sha256=',
    delivery: 'x-github-delivery',
    event: 'x-github-event',
    changes: (event) => event === 'push' || event === 'create' || event === 'delete',
    sentAt: (payload) => secondsOf(member(payload, 'repository', 'pushed_at')),
  })
}

/** Gitea and Forgejo: HMAC-SHA-256 in `X-Gitea-Signature`. */
export function giteaWebhook(options: WebhookProviderOptions): WebhookProvider {
  return hmacProvider({
    name: 'gitea',
    secrets: secretsOf('giteaWebhook', options),
    signature: 'x-gitea-signature',
    prefix: '',
    delivery: 'x-gitea-delivery',
    event: 'x-gitea-event',
    changes: (event) => event === 'push' || event === 'create' || event === 'delete',
  })
}

/** Bitbucket Cloud and Data Center: HMAC-SHA-256 in `X-Hub-Signature`. */
export function bitbucketWebhook(options: WebhookProviderOptions): WebhookProvider {
  return hmacProvider({
    name: 'bitbucket',
    secrets: secretsOf('bitbucketWebhook', options),
    signature: 'x-hub-signature',
    prefix: 'sha256=',
    delivery: 'x-request-uuid',
    event: 'x-event-key',
    changes: (event) => event === 'repo:push' || event === 'repo:refs_changed',
  })
}

/** GitLab: the secret itself in `X-Gitlab-Token`; nothing proves the body, which is why it is only a hint. */
export function gitlabWebhook(options: WebhookProviderOptions): WebhookProvider {
  const secrets = secretsOf('gitlabWebhook', options)
  return {
    name: 'gitlab',
    claims: (headers) => headers.has('x-gitlab-token') && headers.has('x-gitlab-event'),
    verify: (headers) => isOneOf(secrets, headers.get('x-gitlab-token') ?? ''),
    deliveryId: (headers) => headers.get('x-gitlab-event-uuid') ?? undefined,
    sentAt: () => undefined,
    repositories: (headers, payload) =>
      /^(Push|Tag Push) Hook$/.test(headers.get('x-gitlab-event') ?? '') ? addressesIn(payload) : undefined,
  }
}

/** How another sender signs. */
export interface GenericWebhookOptions extends WebhookProviderOptions {
  /** @defaultValue 'generic' */
  readonly name?: string
  /** The header with the HMAC-SHA-256 in hexadecimal digits. @defaultValue 'x-signature' */
  readonly signatureHeader?: string
  /** The header with the time of sending in epoch seconds. It is signed with the body: `<time>.<body>`. @defaultValue 'x-timestamp' */
  readonly timestampHeader?: string
  /** The header that identifies the delivery. @defaultValue 'x-delivery-id' */
  readonly deliveryHeader?: string
}

/** Anything that signs `<time>.<body>` with HMAC-SHA-256 and sends `{"repository": "https://…"}`. */
export function genericWebhook(options: GenericWebhookOptions): WebhookProvider {
  const secrets = secretsOf('genericWebhook', options)
  const signatureHeader = options.signatureHeader ?? 'x-signature'
  const timestampHeader = options.timestampHeader ?? 'x-timestamp'
  return {
    name: options.name ?? 'generic',
    claims: (headers) => headers.has(signatureHeader) && headers.has(timestampHeader),
    verify: async (headers, body) => {
      const signature = fromHex(headers.get(signatureHeader)?.replace(/^sha256=/, '') ?? '')
      const time = new TextEncoder().encode(`${headers.get(timestampHeader) ?? ''}.`)
      const content = new Uint8Array(time.length + body.length)
      content.set(time)
      content.set(body, time.length)
      return signature !== undefined && isSignedWith(secrets, content, signature)
    },
    deliveryId: (headers) => headers.get(options.deliveryHeader ?? 'x-delivery-id') ?? undefined,
    // A time that cannot be read is long ago, so that the delivery is refused as stale.
    sentAt: (headers) => secondsOf(Number(headers.get(timestampHeader))) ?? 0,
    repositories: (_, payload) => addressesIn(payload),
  }
}

interface HmacScheme {
  readonly name: string
  readonly secrets: readonly Secret[]
  readonly signature: string
  readonly prefix: string
  readonly delivery: string
  readonly event: string
  readonly changes: (event: string) => boolean
  readonly sentAt?: (payload: unknown) => number | undefined
}

function hmacProvider(scheme: HmacScheme): WebhookProvider {
  const { name, secrets, prefix } = scheme
  return {
    name,
    claims: (headers) => headers.has(scheme.signature) && headers.has(scheme.event),
    verify: async (headers, body) => {
      const header = headers.get(scheme.signature) ?? ''
      const signature = header.startsWith(prefix) ? fromHex(header.slice(prefix.length)) : undefined
      return signature !== undefined && isSignedWith(secrets, body, signature)
    },
    deliveryId: (headers) => headers.get(scheme.delivery) ?? undefined,
    sentAt: (_, payload) => scheme.sentAt?.(payload),
    repositories: (headers, payload) =>
      scheme.changes(headers.get(scheme.event) ?? '') ? addressesIn(payload) : undefined,
  }
}

/** Every address under which the providers name the repository of an event. */
function addressesIn(payload: unknown): readonly string[] {
  const repository = member(payload, 'repository')
  const project = member(payload, 'project')
  return texts(
    repository,
    ...['clone_url', 'html_url', 'ssh_url', 'git_http_url', 'git_ssh_url', 'homepage', 'url'].map((key) =>
      member(repository, key),
    ),
    ...['git_http_url', 'git_ssh_url', 'web_url'].map((key) => member(project, key)),
    member(repository, 'links', 'html', 'href'),
    ...links(member(repository, 'links', 'clone')),
  )
}

/** Bitbucket Data Center lists its addresses. */
function links(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list.slice(0, 10).map((link) => member(link, 'href')) : []
}

function secondsOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : undefined
}

const MIN_SECRET_LENGTH = 16

function secretsOf(factory: string, { secret }: WebhookProviderOptions): readonly Secret[] {
  const given: readonly (string | Secret)[] = Array.isArray(secret) ? secret : [secret]
  const secrets = given.map((one) => (one instanceof Secret ? one : new Secret(one)))
  if (secrets.length === 0 || secrets.some((one) => one.reveal().trim().length < MIN_SECRET_LENGTH))
    throw new GitOpsError('CONFIG_INVALID', `${factory} needs a secret of ${MIN_SECRET_LENGTH} characters or more.`)
  return secrets
}
