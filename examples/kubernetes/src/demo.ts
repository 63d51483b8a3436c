// npx -y pnpm@12 demo:kubernetes --repo <url or folder> [--path <dir>] [--ref <ref>] [--namespace <name>] [--apply]
// Looks at the cluster of KUBECONFIG and says what reconciling the repository would change. Only with --apply it does.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createReconciler, describe, type Source } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { directorySource } from '@gitops-sdk/core/node'
import { kubeConfigFile, kubernetesTarget } from '@gitops-sdk/k8s-adapter'

const { values } = parseArgs({
  options: {
    repo: { type: 'string' },
    path: { type: 'string', default: '' },
    ref: { type: 'string' },
    namespace: { type: 'string', default: 'default' },
    apply: { type: 'boolean', default: false },
  },
})
const kubeConfig = process.env['KUBECONFIG']
if (values.repo === undefined || kubeConfig === undefined) {
  console.error('Say which repository (--repo <url or folder>), and set KUBECONFIG to the cluster to look at.')
  process.exit(2)
}

await using reconciler = createReconciler({
  applications: [
    {
      name: 'demo',
      source: sourceFor(values.repo, values.path, values.ref),
      target: kubernetesTarget({
        connection: await kubeConfigFile(kubeConfig),
        owner: 'demo',
        namespaces: { default: values.namespace },
      }),
      policy: values.apply ? { mode: 'automatic' } : { mode: 'observe' },
    },
  ],
})
const plan = await reconciler.plan('demo')
console.log(describe(plan, { colour: process.stdout.isTTY }))
if (values.apply) {
  const { outcome, error } = await reconciler.reconcile('demo')
  console.log(error === undefined ? outcome : `${outcome}: ${error.message}`)
  process.exitCode = error === undefined ? 0 : 1
}

function sourceFor(repo: string, path: string, ref: string | undefined): Source {
  if (existsSync(repo)) return directorySource({ path: resolve(repo, path), watch: false })
  return gitSource({ url: repo, path, ...(ref !== undefined && { ref }) })
}
