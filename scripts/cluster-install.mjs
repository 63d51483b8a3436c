// The programs of a control plane, and the renderers, built with Go from pinned modules into folders of the user's
// cache. They are built once for each set of pins; a second run only says where they are.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cache } from './cache.mjs'

const tools = fileURLToPath(new URL('../packages/k8s-adapter/tools', import.meta.url))
const cluster = [
  { module: 'etcd', pin: 'go.etcd.io/etcd/server/v3', packages: { etcd: 'go.etcd.io/etcd/server/v3' } },
  {
    module: 'kubernetes',
    pin: 'k8s.io/kubernetes',
    packages: Object.fromEntries(
      ['kube-apiserver', 'kube-controller-manager', 'kubectl'].map((name) => [name, `k8s.io/kubernetes/cmd/${name}`]),
    ),
    flags: kubernetesVersion,
  },
  { module: 'kwok', pin: 'sigs.k8s.io/kwok', packages: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' } },
]
const renderers = [
  {
    module: 'kustomize',
    pin: 'sigs.k8s.io/kustomize/kustomize/v5',
    packages: { kustomize: 'sigs.k8s.io/kustomize/kustomize/v5' },
    flags: (version) => `-X sigs.k8s.io/kustomize/api/provenance.version=${version}`,
  },
  {
    module: 'helm',
    pin: 'helm.sh/helm/v3',
    packages: { helm: 'helm.sh/helm/v3/cmd/helm' },
    flags: (version) => `-X helm.sh/helm/v3/internal/version.version=${version}`,
  },
]

installAll('cluster', cluster)
// In a folder of their own: another version of a renderer is no reason to build an API server again.
installAll('renderers', renderers)

function installAll(name, programs) {
  const folder = installedFolder(name, programs)
  const built = programs.flatMap((program) => install(program, folder))
  pointAt(folder, name)
  console.log(
    `${name}: ${built.length === 0 ? 'nothing to build' : `built ${built.join(', ')}`}; programs are in ${folder}`,
  )
}

/** Tests look in `current`: what was installed last. */
function pointAt(path, name) {
  const link = join(cache, name, 'current')
  rmSync(link, { force: true })
  symlinkSync(path, link)
}

/** The folder of exactly these pins: what another commit pins is built beside it. */
function installedFolder(name, programs) {
  const hash = createHash('sha256')
  for (const { module } of programs)
    for (const file of ['go.mod', 'go.sum', 'tools.go']) hash.update(readFileSync(join(tools, module, file)))
  return join(cache, name, hash.digest('hex').slice(0, 16))
}

function install({ module, pin, packages, flags }, into) {
  mkdirSync(into, { recursive: true })
  const missing = Object.entries(packages).filter(([name]) => !existsSync(join(into, name)))
  if (missing.length === 0) return []
  const version = pinned(join(tools, module), pin)
  console.error(
    `cluster: building ${missing.map(([name]) => name).join(', ')} ${version}; the first time this takes minutes`,
  )
  for (const [name, path] of missing) build(module, name, path, into, flags?.(version) ?? '')
  return missing.map(([name]) => `${name} ${version}`)
}

/** Built beside its place and renamed, so a program that is there is whole. */
function build(module, name, path, into, flags) {
  const temporary = mkdtempSync(join(into, '.build-'))
  try {
    const args = ['build', '-trimpath', '-ldflags', `-s -w ${flags}`.trim(), '-o', join(temporary, name), path]
    execFileSync('go', args, {
      cwd: join(tools, module),
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    for (const file of readdirSync(temporary)) renameSync(join(temporary, file), join(into, file))
  } catch (cause) {
    console.error(
      `cluster: ${name} could not be built in ${relative(process.cwd(), join(tools, module))}. Is Go 1.26 or newer installed?`,
    )
    throw cause
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

function pinned(cwd, module) {
  const args = ['list', '-m', '-f', '{{.Version}}', module]
  return execFileSync('go', args, { cwd, encoding: 'utf8' }).trim()
}

/** What `GET /version` answers; a server without it calls itself v0.0.0. */
function kubernetesVersion(version) {
  const [major, minor] = version.slice(1).split('.')
  const values = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: '0'.repeat(40),
    buildDate: '2026-01-01T00:00:00Z',
  }
  return Object.entries(values)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ')
}
