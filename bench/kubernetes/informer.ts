// Watches the same objects with informers of @kubernetes/client-node. A process of its own, started by watching.ts.
import { AppsV1Api, CoreV1Api, KubeConfig, NetworkingV1Api, makeInformer } from '@kubernetes/client-node'
import { settledMemory } from '../settled-memory.ts'

const expected = Number(process.env['GITOPS_BENCH_OBJECTS'])
const config = new KubeConfig()
config.loadFromString(process.env['GITOPS_BENCH_KUBECONFIG'] ?? '')
const core = config.makeApiClient(CoreV1Api)
const apps = config.makeApiClient(AppsV1Api)
const networking = config.makeApiClient(NetworkingV1Api)
await core.listNamespace()
const before = settledMemory().rss
const informers = [
  makeInformer(config, '/api/v1/configmaps', () => core.listConfigMapForAllNamespaces()),
  makeInformer(config, '/apis/apps/v1/deployments', () => apps.listDeploymentForAllNamespaces()),
  makeInformer(config, '/apis/networking.k8s.io/v1/ingresses', () => networking.listIngressForAllNamespaces()),
]
for (const informer of informers) await informer.start()
const held = informers.reduce((sum, informer) => sum + informer.list().length, 0)
if (held < expected) throw new Error(`The informers hold ${held} objects, not ${expected}.`)
console.log(((settledMemory().rss - before) / 1e6).toFixed(1))
process.exit(0)
