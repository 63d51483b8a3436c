import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type RunCall, digestOf, GitOpsError } from '@gitops-sdk/core'
import { failureOf } from '../cli/diagnostics.ts'
import { whenAbsent } from '../store/blobs.ts'
import { asking, runCommand } from './command.ts'
import type { Kit, Module } from './kit.ts'
import { backendFile, variablesFile } from './module.ts'
import { withProviderCache } from './provider-cache.ts'
import type { Site } from './site.ts'

/** A root module on disk. */
export interface Prepared {
  /** The folder of the root module. */
  readonly folder: string
  /** Whether the binary looked at its providers and modules for exactly these files. */
  readonly isInitialised: boolean
}

/** What lies in the working folder. */
interface Marker {
  /** What an initialisation depends on besides the text of the module. */
  readonly base: string
  readonly filesDigest: string
  /** Digests by path. */
  readonly files: Readonly<Record<string, string>>
}

const markerFile = '.gitops'

/**
 * Writes the module where its commands run. A folder that was initialised for an earlier version is used again: the
 * binary refuses by itself where providers or modules changed, and `initialise` is then to be called.
 */
export async function prepare(kit: Kit, site: Site, module: Module, run: string, call: RunCall): Promise<Prepared> {
  const folder = join(site.work, module.root)
  const known = await readMarker(site)
  if (known === undefined || known.base !== baseOf(kit, module)) return initialise(kit, site, module, run, call)
  if (known.filesDigest === module.filesDigest) return { folder, isInitialised: true }
  await rm(join(site.work, markerFile), { force: true })
  await updateModule(site.work, module, known.files, call)
  await writeMarker(kit, site, module)
  return { folder, isInitialised: false }
}

/** Writes the module into an empty folder and initialises it. */
export async function initialise(kit: Kit, site: Site, module: Module, run: string, call: RunCall): Promise<Prepared> {
  const folder = join(site.work, module.root)
  await rm(site.work, { recursive: true, force: true, maxRetries: 3 })
  try {
    await updateModule(site.work, module, {}, call)
    await writeBackend(folder, kit)
    await init(kit, site, folder, run, call)
    if (kit.backend.kind === 'module') await refuseLostState(folder)
    await writeMarker(kit, site, module)
    return { folder, isInitialised: true }
  } catch (error) {
    await rm(site.work, { recursive: true, force: true, maxRetries: 3 })
    throw error
  }
}

async function readMarker({ work }: Site): Promise<Marker | undefined> {
  const text = await readFile(join(work, markerFile), 'utf8').catch(whenAbsent(undefined))
  // Written below, after everything it speaks of.
  return text === undefined ? undefined : (JSON.parse(text) as Marker)
}

function writeMarker(kit: Kit, { work }: Site, module: Module): Promise<void> {
  const files = Object.fromEntries(module.files.map(({ path, digest }) => [path, digest]))
  const marker: Marker = { base: baseOf(kit, module), filesDigest: module.filesDigest, files }
  return writeFile(join(work, markerFile), JSON.stringify(marker), { mode: 0o600 })
}

function baseOf(
  { backend, cli, lockFile, providerMirror = '', providerOverrides = {} }: Kit,
  { root, files }: Module,
): string {
  const locks = files.filter(({ path }) => path.endsWith('.terraform.lock.hcl')).map(({ digest }) => digest)
  return digestOf({
    root,
    locks,
    backend: { ...backend },
    binary: cli.binary,
    lockFile,
    providerMirror,
    providerOverrides: { ...providerOverrides },
  })
}

/** Writes the variables beside the module, for as long as `work` takes. They may be secret. */
export async function withVariables<T>(folder: string, { variables }: Module, work: () => Promise<T>): Promise<T> {
  const path = join(folder, variablesFile)
  await writeFile(path, JSON.stringify(variables.values), { mode: 0o600 })
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

/** Writes what is new or other than in `known`, and removes what is no longer there. */
async function updateModule(
  work: string,
  { root, files }: Module,
  known: Marker['files'],
  call: RunCall,
): Promise<void> {
  await mkdir(join(work, root), { recursive: true, mode: 0o700 })
  const wanted = new Set(files.map(({ path }) => path))
  for (const path of Object.keys(known)) if (!wanted.has(path)) await rm(join(work, path), { force: true })
  for (const { path, digest, read } of files) {
    if (digest !== '' && known[path] === digest) continue
    await mkdir(dirname(join(work, path)), { recursive: true, mode: 0o700 })
    await writeFile(join(work, path), await read(call), { mode: 0o600 })
  }
}

async function writeBackend(folder: string, { backend }: Kit): Promise<void> {
  if (backend.kind !== 'managed') return
  const override = { terraform: { backend: { http: {} } } }
  await writeFile(join(folder, backendFile), JSON.stringify(override), { mode: 0o600 })
}

async function init(kit: Kit, site: Site, folder: string, run: string, call: RunCall): Promise<void> {
  const { backend, lockFile, providerCache } = kit
  const config =
    backend.kind === 'module'
      ? Object.entries(backend.config).map(([name, value]) => `-backend-config=${name}=${value}`)
      : []
  const readonly = lockFile === 'readonly' ? ['-lockfile=readonly'] : []
  const args = ['init', '-input=false', '-no-color', ...readonly, ...config]
  const end = await withProviderCache(providerCache, call, () =>
    runCommand(kit, site, { ...asking(run, folder, args), environment: attached(kit) }, call),
  )
  if (end.exitCode === 0) return
  const error = failureOf(`Preparing the module of ${site.application}`, end, 'DECLARATION_INVALID')
  throw site.redactor.error(error)
}

/** `init` asks registries for providers under development as well, unless it takes them for attached ones. */
function attached({ providerOverrides = {} }: Kit): Readonly<Record<string, string>> {
  const nowhere = { Network: 'tcp', String: '127.0.0.1:1' }
  const plugin = { Protocol: 'grpc', ProtocolVersion: 6, Pid: process.pid, Test: true, Addr: nowhere }
  const entries = Object.keys(providerOverrides).map((address) => [address, plugin] as const)
  return entries.length === 0 ? {} : { TF_REATTACH_PROVIDERS: JSON.stringify(Object.fromEntries(entries)) }
}

/** A state in the working folder would be gone with it. */
async function refuseLostState(folder: string): Promise<void> {
  const text = await readFile(join(folder, '.terraform', 'terraform.tfstate'), 'utf8').catch(whenAbsent(undefined))
  // Written by the binary; only its type and path are looked at.
  const backend =
    text === undefined
      ? undefined
      : (JSON.parse(text) as { backend?: { type: string; config?: { path?: string | null } } }).backend
  const path = backend?.config?.path
  if (backend !== undefined && (backend.type !== 'local' || path?.startsWith('/') === true)) return
  const message = `The module keeps its state in its own folder, which is removed. Declare a backend, give a local one an absolute path, or use the managed backend.`
  throw new GitOpsError('CONFIG_INVALID', message)
}
