// What `pnpm test` leaves out, said in one line, so that nobody takes it for tested.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
const folder = process.env.KUBEBUILDER_ASSETS || join(cache, 'gitops-sdk', 'cluster', 'current')
const server = process.env.KUBE_APISERVER_BIN || join(folder, 'kube-apiserver')
console.log(
  existsSync(server)
    ? 'The real-cluster suite was not run; `pnpm test:cluster` runs it.'
    : 'The real-cluster suite was not run: there is no kube-apiserver here. `pnpm cluster:install` builds one, `pnpm test:cluster` runs the suite.',
)
