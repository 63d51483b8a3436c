import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import {
  type Application,
  type JsonObject,
  type RunResult,
  Secret,
  createReconciler,
  createRedactor,
  environmentSecret,
  redactApplication,
} from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { fileLedger } from '@gitops-sdk/core/node'
import { logEvents, prometheusMetrics } from '@gitops-sdk/core/telemetry'
import { startGitServer } from '@gitops-sdk/core/testing/git'
import { kubernetesTarget } from '@gitops-sdk/k8s-adapter'
import { memoryApiServer } from '@gitops-sdk/k8s-adapter/testing'
import { terraformTarget } from '@gitops-sdk/terraform-adapter'
import { fakeCloudProvider, findBinary } from '@gitops-sdk/terraform-adapter/testing'
import { expect, test } from 'vitest'

const canaries = {
  kubernetesSecret: 'canary-kubernetes-9f8e7d6c5b',
  terraformVariable: 'canary-terraform-4f1d9c7e2b',
  gitToken: 'canary-git-0a1b2c3d4e5f6a7b',
  environment: 'canary-env-6c5d4e3f2a1b',
}
const drifted = 'canary-drifted-11aa22bb33cc'

/** As it is, and as what surrounds it would write it. */
const formsOf = (text: string): readonly string[] => [
  text,
  btoa(text),
  Buffer.from(text).toString('hex'),
  encodeURIComponent(btoa(text)),
  btoa(`x-access-token:${text}`),
]
const everyForm = [...Object.values(canaries), drifted].flatMap(formsOf)
const hitsIn = (text: string): readonly string[] => everyForm.filter((form) => text.includes(form))

const secret = (password: string): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData: {password: ${password}}\n`
const module_ = (provider: string, name = 'a'): string => `${provider}
variable "password" {
  type      = string
  sensitive = true
}
resource "fake_record" "a" {
  name   = "${name}"
  secret = var.password
  value  = nonsensitive("copy of \${var.password}")
}
output "password" {
  value     = var.password
  sensitive = true
}
`

/** Every byte below a folder, as text. */
function bytesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')
}

test('Q18 canary: four secrets live a whole life on both adapters, and nothing that leaves holds one of them', async () => {
  const binary = findBinary()
  if (binary === undefined) throw new Error('No binary. Run `pnpm terraform:install`, or set TERRAFORM_BIN.')
  const folder = mkdtempSync(join(tmpdir(), 'canary-'))
  const authorization = `Basic ${btoa(`x-access-token:${canaries.gitToken}`)}`
  const isAuthorized = { now: true }
  await using git = await startGitServer({ authorize: (given) => isAuthorized.now && given === authorization })
  await using server = await memoryApiServer()
  await using provider = await fakeCloudProvider()
  const repository = await git.createRepository('platform')
  const password = environmentSecret('APP_PASSWORD', { APP_PASSWORD: canaries.environment })
  const variable = new Secret(canaries.terraformVariable)
  const token = new Secret(canaries.gitToken)
  await repository.commit({
    'app/secret.yaml': secret(canaries.kubernetesSecret),
    'infra/main.tf': module_(provider.requirement),
  })

  const said: unknown[] = []
  const write = (...line: readonly unknown[]): void => void said.push(line)
  const log = { debug: write, info: write, warn: write, error: write }
  const redactor = createRedactor([token, variable, password, new Secret(canaries.kubernetesSecret)])
  const source = (path: string) =>
    gitSource({
      url: repository.url,
      ref: 'main',
      path,
      retry: { maxAttempts: 1, baseDelayMs: 1 },
      credentials: async () => ({ username: 'x-access-token', password: token.reveal() }),
    })
  const policy = { prune: true, selfHeal: true, allowEmpty: true, retry: { limit: 0 }, healthTimeoutMs: 5_000 }
  const applications: readonly Application[] = [
    {
      name: 'app',
      source: source('app'),
      target: kubernetesTarget({ connection: server.connection(), owner: 'canary', settleMs: 100 }),
      policy: { ...policy, maxDeletions: 0 },
    },
    {
      name: 'infra',
      source: source('infra'),
      target: terraformTarget({
        binary,
        folder: join(folder, 'terraform'),
        variables: { password: variable },
        environment: { ...provider.environment, APP_PASSWORD: password },
        lockTimeoutMs: 0,
      }),
      policy,
    },
  ]
  const reconciler = createReconciler({
    ledger: fileLedger(join(folder, 'ledger')),
    log: redactor.logger(log),
    applications: applications.map((each) => redactApplication(each, redactor)),
  })
  reconciler.onAny((event) => void said.push(event))
  logEvents(reconciler, log)
  const metrics = prometheusMetrics(reconciler)
  const outcomes: string[] = []
  const run = async (name: string): Promise<RunResult> => {
    said.push(await reconciler.plan(name).catch((error: unknown) => error))
    const result = await reconciler.reconcile(name, { refresh: true })
    said.push(result, reconciler.status(name), reconciler.explain(name))
    outcomes.push(`${name} ${result.outcome}`)
    return result
  }
  const both = async (): Promise<void> => {
    for (const name of ['app', 'infra']) await run(name)
  }

  try {
    // Applied, and really there.
    await both()
    expect(server.get('v1', 'Secret', 'app', 'default')).toMatchObject({
      data: { password: btoa(canaries.kubernetesSecret) },
    })
    expect(provider.cloud.find('a')?.secret).toBe(canaries.terraformVariable)
    // Drifts, and is healed.
    server.put({ ...(server.get('v1', 'Secret', 'app', 'default') as JsonObject), data: { password: btoa(drifted) } })
    provider.cloud.find('a')!.value = `by hand ${canaries.terraformVariable}`
    await both()
    expect(provider.cloud.find('a')?.value).toBe(`copy of ${canaries.terraformVariable}`)
    // Fails: the source, the cloud, the server, each quoting what it was given.
    isAuthorized.now = false
    await both()
    isAuthorized.now = true
    const good = await repository.git('rev-parse', 'main')
    provider.cloud.faults.set('a', { error: `no quota for ${canaries.terraformVariable} in ${canaries.environment}` })
    const refusal = {
      kind: 'Status',
      status: 'Failure',
      code: 422,
      reason: 'Invalid',
      message: `Invalid value: "${canaries.kubernetesSecret}-next"`,
    }
    const mend = server.inject({
      when: ({ method }) => method !== 'GET',
      times: 100,
      answer: { status: 422, body: refusal },
    })
    await repository.commit({
      'app/secret.yaml': secret(`${canaries.kubernetesSecret}-next`),
      'infra/main.tf': module_(provider.requirement, 'b'),
    })
    await both()
    mend()
    provider.cloud.faults.clear()
    // Is rolled back and released.
    for (const name of ['app', 'infra']) {
      said.push(
        await reconciler.rollback(name, { to: good, by: 'ada', reason: 'it fails' }).catch((error: unknown) => error),
      )
      await run(name)
      await reconciler.release(name, { by: 'ada', reason: 'mended' })
    }
    await both()
    // Waits for an approval, and gets it.
    await repository.commit({
      'app/secret.yaml': null,
      'app/other.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n',
    })
    const { plan } = await run('app')
    await reconciler.approve('app', { fingerprint: plan?.fingerprint ?? '', by: 'ada' })
    await run('app')
    expect(server.get('v1', 'Secret', 'app', 'default')).toBeUndefined()
    // Goes away.
    for await (const record of reconciler.history()) said.push(record)
    for (const name of ['app', 'infra']) await reconciler.remove(name, { cascade: true })
    expect(server.get('v1', 'Secret', 'app', 'default')).toBeUndefined()
    expect(provider.cloud.find('a')).toBeUndefined()
    for await (const record of reconciler.audit()) said.push(record)
    said.push(metrics.text())
    await reconciler[Symbol.asyncDispose]()

    const printed = `${inspect(said, { depth: null, maxArrayLength: null, maxStringLength: null, showHidden: true })}\n${JSON.stringify(said)}`
    expect(hitsIn(printed)).toEqual([])
    expect(hitsIn(bytesBelow(folder))).toEqual([])
    expect(printed.length).toBeGreaterThan(50_000)
    expect(outcomes).toEqual(expect.arrayContaining(['app applied', 'infra applied', 'app failed', 'infra failed']))
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
})
