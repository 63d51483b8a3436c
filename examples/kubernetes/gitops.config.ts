import { defineConfig } from '@gitops-sdk/cli'
import { directorySource, fileLedger } from '@gitops-sdk/core/node'
import { kubeConfigFile, kubernetesTarget } from '@gitops-sdk/k8s-adapter'

export default defineConfig(async ({ readOnly }) => ({
  // What only looks may do so beside the service that owns the folder.
  ledger: fileLedger('.gitops', { readOnly }),
  applications: [
    {
      name: 'shop',
      // gitSource({ url: 'https://git.example/you/repo', path: 'deploy' }) of '@gitops-sdk/core/git' reads a repository.
      source: directorySource({ path: 'manifests', watch: false }),
      target: kubernetesTarget({
        owner: 'command-line',
        connection: await kubeConfigFile(process.env['KUBECONFIG'] ?? 'kubeconfig.yaml'),
      }),
      policy: { mode: 'automatic', prune: true },
    },
  ],
}))
