import {
  type Call,
  GitOpsError,
  type Rendered,
  type RenderedDocument,
  type Renderer,
  type Snapshot,
  throwIfAborted,
  type TreeEntry,
  walk,
} from '@gitops-sdk/core'
import { decodeDocuments, type DecodeLimits } from '@gitops-sdk/core/files'
import { kubernetesScalar } from './scalar.ts'

/** How a plain folder is read. */
export interface FilesRendererOptions {
  /** Which files are declarations. @defaultValue everything that ends in .yaml, .yml or .json and has no dot in front */
  readonly include?: (path: string) => boolean
  /** @defaultValue `defaultDecodeLimits` */
  readonly limits?: DecodeLimits
}

/**
 * Reads every YAML and JSON file of a folder and the folders below it, in sorted order. Kustomization
 * files are left out with a warning: rendering them is the work of `kustomizeRenderer`.
 */
export function filesRenderer({ include = isDeclaration, limits = {} }: FilesRendererOptions = {}): Renderer {
  return {
    name: 'files',
    async render({ snapshot, path }, call) {
      const documents: RenderedDocument[] = []
      const warnings: string[] = []
      for (const entry of await filesAt(snapshot, path, call)) {
        throwIfAborted(call)
        if (isKustomization(entry.path)) warnings.push(`${entry.path} was left out: no renderer for it was given.`)
        if (isKustomization(entry.path) || !include(entry.path)) continue
        documents.push(...(await documentsOf(snapshot, entry, limits, call)))
      }
      return rendered(documents, warnings)
    },
  }
}

/** The documents of one stream of text, as `kustomize` and `helm` print it. */
export function documentsIn(output: Uint8Array, origin: string, limits: DecodeLimits = {}): RenderedDocument[] {
  const documents = decodeDocuments(output, origin, { format: 'yaml', plainScalar: kubernetesScalar, ...limits })
  return [...documents].map(({ body, origin: at }) => ({ body, origin: at }))
}

function rendered(documents: readonly RenderedDocument[], warnings: readonly string[]): Rendered {
  return warnings.length === 0 ? { documents } : { documents, warnings }
}

async function filesAt(snapshot: Snapshot, path: string, call: Call): Promise<TreeEntry[]> {
  if (isDeclaration(path)) return [{ path, type: 'file', digest: await snapshot.digest(path, call) }]
  const entries: TreeEntry[] = []
  for await (const entry of walk(snapshot, path, call)) entries.push(entry)
  return entries
}

async function documentsOf(
  snapshot: Snapshot,
  { path, type }: TreeEntry,
  limits: DecodeLimits,
  call: Call,
): Promise<RenderedDocument[]> {
  if (type === 'symlink')
    throw new GitOpsError('SOURCE_SYMLINK', `${path} is a link, and links are not followed. Put the file itself there.`)
  if (type === 'submodule') return []
  const bytes = await snapshot.read(path, call)
  const documents = decodeDocuments(bytes, path, { plainScalar: kubernetesScalar, ...limits })
  return [...documents].map(({ body, origin }) => ({ body, origin }))
}

function isDeclaration(path: string): boolean {
  const name = baseName(path)
  return /\.(ya?ml|json)$/i.test(name) && !name.startsWith('.')
}

/** Whether a file steers Kustomize. */
export function isKustomization(path: string): boolean {
  return ['kustomization.yaml', 'kustomization.yml', 'Kustomization'].includes(baseName(path))
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
