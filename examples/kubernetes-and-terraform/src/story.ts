import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ApplicationEvent,
  type Json,
  type JsonObject,
  type RunResult,
  memoryLedger,
  memorySource,
} from '@gitops-sdk/core'
import { memoryApiServer } from '@gitops-sdk/k8s-adapter/testing'
import type { TerraformTargetOptions } from '@gitops-sdk/terraform-adapter'
import { createPlatform } from './platform.ts'

/** What is in the cluster. */
export interface Seen {
  readonly url: unknown
  readonly password: unknown
  readonly replicas: unknown
}

/** What became of the story. */
export interface Told {
  readonly results: readonly RunResult[]
  /** What was in the cluster at first, and when the module said something else. */
  readonly first: Seen
  readonly second: Seen
  readonly events: readonly ApplicationEvent[]
}

const text = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8')

/** The module is applied, its outputs arrive in the cluster; then the module moves the database. */
export async function tell(binary: TerraformTargetOptions['binary']): Promise<Told> {
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-and-terraform-'))
  const module = await text('../terraform/main.tf')
  const modules = memorySource({ files: { 'main.tf': module } })
  const manifests = memorySource({ files: { 'settings.yaml': await text('../kubernetes/settings.yaml') } })
  const server = await memoryApiServer({ runsWorkloads: true })
  const terraform = { binary, folder: join(folder, 'terraform') }
  const platform = createPlatform({
    ledger: memoryLedger(),
    modules,
    manifests,
    terraform,
    cluster: server.connection(),
  })
  const events: ApplicationEvent[] = []
  platform.onAny((event) => void events.push(event))
  const see = (): Seen => {
    const read = (apiVersion: string, kind: string, name: string, ...path: readonly string[]): Json | undefined =>
      path.reduce(memberOf, server.get(apiVersion, kind, name, 'default'))
    const password = read('v1', 'Secret', 'database', 'data', 'password')
    return {
      url: read('v1', 'ConfigMap', 'database', 'data', 'url'),
      password: typeof password === 'string' ? Buffer.from(password, 'base64').toString() : undefined,
      replicas: read('apps/v1', 'Deployment', 'pool', 'spec', 'replicas'),
    }
  }
  try {
    const results = [await platform.reconcile('database'), await platform.reconcile('shop')]
    const first = see()
    modules.commit({ 'main.tf': module.replace('db-1', 'db-2').replace('default = 2', 'default = 3') })
    results.push(await platform.reconcile('database'), await platform.reconcile('shop'))
    return { results, first, second: see(), events }
  } finally {
    await platform[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject)[name] : undefined
}
