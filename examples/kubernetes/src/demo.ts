// npx -y pnpm@12 demo:kubernetes --repo <url or folder> [--path <dir>] [--ref <ref>] [--namespace <name>] [--apply]
// Reconciles the repository into a server in memory. With KUBECONFIG it looks at that cluster instead and says what
// reconciling would change; only with --apply it does.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createReconciler, describe, type Plan, type Source } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { directorySource } from '@gitops-sdk/core/node'
import { type HttpClientOptions, kubeConfigFile, kubernetesTarget } from '@gitops-sdk/k8s-adapter'
import { type MemoryApiServer, memoryApiServer } from '@gitops-sdk/k8s-adapter/testing'

const { values } = parseArgs({
  options: {
    repo: { type: 'string' },
    path: { type: 'string', default: '' },
    ref: { type: 'string' },
    namespace: { type: 'string', default: 'default' },
    apply: { type: 'boolean', default: false },
  },
})
if (values.repo === undefined) {
  console.error('Say which repository: --repo <url or folder>.')
  process.exit(2)
}

const kubeConfig = process.env['KUBECONFIG']
const memory =
  kubeConfig === undefined || kubeConfig === '' ? await memoryApiServer({ runsWorkloads: true }) : undefined
const writes = memory !== undefined || values.apply
await using reconciler = createReconciler({
  applications: [
    {
      name: 'demo',
      source: sourceFor(values.repo, values.path, values.ref),
      target: kubernetesTarget({
        connection: await connectionTo(memory, kubeConfig),
        owner: 'demo',
        namespaces: { default: values.namespace },
      }),
      policy: writes ? { mode: 'automatic' } : { mode: 'observe' },
    },
  ],
})
const plan = await reconciler.plan('demo')
console.log(describe(plan, { colour: process.stdout.isTTY }))
if (memory !== undefined) makeNamespaces(memory, plan)
if (writes) {
  const { outcome, error } = await reconciler.reconcile('demo')
  console.log(
    `${memory === undefined ? '' : 'in memory: '}${error === undefined ? outcome : `${outcome}: ${error.message}`}`,
  )
  process.exitCode = error === undefined ? 0 : 1
} else console.log('Nothing was changed: give --apply to do so.')
await memory?.[Symbol.asyncDispose]()

async function connectionTo(server: MemoryApiServer | undefined, file: string | undefined): Promise<HttpClientOptions> {
  return server === undefined ? kubeConfigFile(file ?? '') : server.connection()
}

/** A repository often counts on namespaces that somebody else makes. */
function makeNamespaces(server: MemoryApiServer, { changes }: Plan): void {
  const declared = new Set(changes.filter(({ ref }) => ref.kind === 'Namespace').map(({ ref }) => ref.name))
  for (const namespace of new Set(changes.map(({ ref }) => ref.namespace))) {
    if (namespace === undefined || declared.has(namespace)) continue
    if (server.get('v1', 'Namespace', namespace) !== undefined) continue
    server.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    console.log(`The namespace ${namespace} was made, because the repository does not declare it.`)
  }
}

function sourceFor(repo: string, path: string, ref: string | undefined): Source {
  if (existsSync(repo)) return directorySource({ path: resolve(repo, path), watch: false })
  return gitSource({ url: repo, path, ...(ref !== undefined && { ref }) })
}
