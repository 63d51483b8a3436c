import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type RunCall, digestOf, GitOpsError } from '@gitops-sdk/core'
import { failureOf } from '../cli/diagnostics.ts'
import { whenAbsent } from '../store/blobs.ts'
import { runCommand } from './command.ts'
import type { Kit, Module } from './kit.ts'
import { backendFile, variablesFile } from './module.ts'
import { withProviderCache } from './provider-cache.ts'
import type { Site } from './site.ts'

/** The folder of the root module, with its files written and initialised. One that is there already is used again. */
export async function prepare(kit: Kit, site: Site, module: Module, run: string, call: RunCall): Promise<string> {
  const folder = join(site.work, module.root)
  const digest = digestOf({
    files: module.filesDigest,
    backend: { ...kit.backend },
    binary: kit.cli.binary,
    lockFile: kit.lockFile,
  })
  const marker = join(site.work, '.gitops')
  const known = await readFile(marker, 'utf8').catch(whenAbsent(undefined))
  if (known === digest) return folder
  await rm(site.work, { recursive: true, force: true, maxRetries: 3 })
  try {
    await writeModule(site.work, module, kit, call)
    await init(kit, site, folder, run, call)
    if (kit.backend.kind === 'module') await refuseLostState(folder)
    await writeFile(marker, digest, { mode: 0o600 })
    return folder
  } catch (error) {
    await rm(site.work, { recursive: true, force: true, maxRetries: 3 })
    throw error
  }
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

async function writeModule(work: string, { root, files }: Module, { backend }: Kit, call: RunCall): Promise<void> {
  await mkdir(join(work, root), { recursive: true, mode: 0o700 })
  for (const { path, read } of files) {
    await mkdir(dirname(join(work, path)), { recursive: true, mode: 0o700 })
    await writeFile(join(work, path), await read(call), { mode: 0o600 })
  }
  if (backend.kind !== 'managed') return
  const override = { terraform: { backend: { http: {} } } }
  await writeFile(join(work, root, backendFile), JSON.stringify(override), { mode: 0o600 })
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
    runCommand(kit, site, { args, folder, run, access: 'read', streams: 'memory' }, call),
  )
  if (end.exitCode === 0) return
  const error = failureOf(`Preparing the module of ${site.application}`, end, 'DECLARATION_INVALID')
  throw site.redactor.error(error)
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
