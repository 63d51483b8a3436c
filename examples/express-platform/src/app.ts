import { fileURLToPath } from 'node:url'
import { type Reconciler, GitOpsError, createWebhookHandler, githubWebhook } from '@gitops-sdk/core'
import { toNodeListener } from '@gitops-sdk/core/node'
import express, { type ErrorRequestHandler, type Express, type Request } from 'express'
import { streamEvents } from './stream.ts'
import { detailsOf, overviewOf } from './views.ts'

/** What the HTTP side is made of. */
export interface AppOptions {
  readonly reconciler: Reconciler
  readonly webhookSecret: string
  /** The applications to look at, by address of their repository. */
  readonly repositories: Readonly<Record<string, readonly string[]>>
  /** Who asks: a session, a token, a proxy's header. Throw to refuse. */
  readonly userOf: (request: Request) => string
}

/** The HTTP side of the platform: an API, live events, a webhook and the page. */
export function createApp({ reconciler, webhookSecret, repositories, userOf }: AppOptions): Express {
  const app = express().disable('x-powered-by')
  const providers = [githubWebhook({ secret: webhookSecret })]
  // Before any body parser: the signature is over the bytes as they were sent.
  app.post('/hooks', toNodeListener(createWebhookHandler({ reconciler, providers, repositories })))
  app.use((_request, response, next) => {
    response.setHeader('content-security-policy', "default-src 'self'")
    next()
  })
  app.use(express.static(fileURLToPath(new URL('../page', import.meta.url))))
  app.get('/api/events', (_request, response) => streamEvents(reconciler, response))
  app.use('/api/applications', applications(reconciler, userOf))
  app.use(answerErrors)
  return app
}

function applications(reconciler: Reconciler, userOf: AppOptions['userOf']): express.Router {
  const routes = express.Router()
  // Only JSON is read, so that a form of another site cannot ask for anything.
  routes.use(express.json({ limit: '16kb' }))
  routes.get('/', (_request, response) => void response.json(overviewOf(reconciler)))
  routes.get('/:name', async ({ params }, response) => void response.json(await detailsOf(reconciler, params.name)))
  routes.post('/:name/reconcile', async (request, response) => {
    userOf(request)
    const { heal } = bodyOf(request)
    const { outcome } = await reconciler.reconcile(request.params.name, { refresh: true, heal: heal === true })
    response.json({ outcome })
  })
  routes.post('/:name/approve', async (request, response) => {
    const fingerprint = text(request, 'fingerprint')
    await reconciler.approve(request.params.name, { fingerprint, by: userOf(request) })
    response.status(202).json({})
  })
  routes.post('/:name/rollback', async (request, response) => {
    const [to, reason] = [text(request, 'to'), text(request, 'reason')]
    const { commit } = await reconciler.rollback(request.params.name, { to, reason, by: userOf(request) })
    response.status(202).json({ commit: commit?.id })
  })
  return routes
}

function bodyOf({ body }: Request): Readonly<Record<string, unknown>> {
  const value: unknown = body
  if (typeof value === 'object' && value !== null) return { ...value }
  throw new GitOpsError('CONFIG_INVALID', 'Send a JSON object, as application/json.')
}

function text(request: Request, name: string): string {
  const value = bodyOf(request)[name]
  if (typeof value === 'string' && value !== '') return value
  throw new GitOpsError('CONFIG_INVALID', `${name} is missing.`)
}

const statusOf: Readonly<Partial<Record<GitOpsError['code'], number>>> = {
  CONFIG_INVALID: 400,
  APPLICATION_UNKNOWN: 404,
  REVISION_NOT_FOUND: 404,
  APPROVAL_MISMATCH: 409,
  TENANT_DENIED: 403,
}

/** The code is for programs, the message for people. Anything that is not ours stays in the log. */
const answerErrors: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  if (!(error instanceof GitOpsError)) return next(error)
  response.status(statusOf[error.code] ?? 502).json({ error: error.toJSON() })
}
