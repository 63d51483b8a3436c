import { type RunCall, digestOf, type Json } from '@gitops-sdk/core'
import type { Kit, Module } from './kit.ts'
import type { Site } from './site.ts'

interface Bundle {
  readonly root: string
  readonly filesDigest: string
  readonly digest: string
  /** Content in Base64, by path. */
  readonly files: Readonly<Record<string, string>>
  readonly variables: Readonly<Record<string, Json>>
  readonly secrets: readonly string[]
}

/** Keeps the module as it was applied, so that it can be destroyed when its source or variables are gone. */
export async function keepApplied(kit: Kit, site: Site, module: Module, call: RunCall): Promise<void> {
  const { blobs, seal } = await kit.store()
  const name = blobName(site)
  const { root, filesDigest, variables } = module
  const digest = digestOf([root, filesDigest, seal.fingerprint({ ...variables.values })])
  const known = await blobs.get(name)
  // Written below, and authenticated where the store is sealed.
  if (known !== undefined && (JSON.parse(Buffer.from(known).toString()) as Bundle).digest === digest) return
  const files: Record<string, string> = {}
  for (const { path, read } of module.files) files[path] = Buffer.from(await read(call)).toString('base64')
  const bundle: Bundle = { root, filesDigest, digest, files, variables: variables.values, secrets: variables.secrets }
  await blobs.put(name, Buffer.from(JSON.stringify(bundle)))
}

/** The module that was applied last. */
export async function lastApplied(kit: Kit, site: Site): Promise<Module | undefined> {
  const { blobs } = await kit.store()
  const bytes = await blobs.get(blobName(site))
  if (bytes === undefined) return undefined
  const { root, filesDigest, files, variables, secrets } = JSON.parse(Buffer.from(bytes).toString()) as Bundle
  return {
    root,
    filesDigest,
    variables: { values: variables, secrets },
    files: Object.entries(files).map(([path, content]) => ({
      path,
      digest: '',
      read: async () => Buffer.from(content, 'base64'),
    })),
  }
}

/** There is nothing left to destroy. */
export async function forgetApplied(kit: Kit, site: Site): Promise<void> {
  const { blobs } = await kit.store()
  await blobs.remove(blobName(site))
}

function blobName({ prefix }: Site): string {
  return `${prefix}/applied`
}
