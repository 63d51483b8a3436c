import {
  type Call,
  fileReader,
  GitOpsError,
  type Rendered,
  type RenderedDocument,
  type Renderer,
  type Snapshot,
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
  const read = fileReader((bytes, path) => documentsOf(bytes, path, limits))
  const renderer: Renderer = {
    name: 'files',
    async render({ snapshot, path }, call) {
      const warnings: string[] = []
      const entries = declarationsAmong(await filesAt(snapshot, path, call), include, warnings)
      const files = await read(snapshot, entries, call)
      return rendered(files.flat(), warnings)
    },
  }
  lasting.add(renderer)
  return renderer
}

const lasting = new WeakSet<Renderer>()

/**
 * Whether documents of this renderer never change, so that one that is the same object says the same. Another renderer
 * may change what it made, or what one of these gave it.
 */
export function hasLastingDocuments(renderer: Renderer): boolean {
  return lasting.has(renderer)
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

function* declarationsAmong(
  entries: readonly TreeEntry[],
  include: (path: string) => boolean,
  warnings: string[],
): Generator<TreeEntry> {
  for (const entry of entries) {
    const { path, type } = entry
    if (isKustomization(path)) warnings.push(`${path} was left out: no renderer for it was given.`)
    if (isKustomization(path) || !include(path) || type === 'submodule') continue
    if (type === 'symlink') throw link(path)
    yield entry
  }
}

function link(path: string): GitOpsError {
  return new GitOpsError('SOURCE_SYMLINK', `${path} is a link, and links are not followed. Put the file itself there.`)
}

function documentsOf(bytes: Uint8Array, path: string, limits: DecodeLimits): RenderedDocument[] {
  const documents = decodeDocuments(bytes, path, { plainScalar: kubernetesScalar, ...limits })
  return Array.from(documents, ({ body, origin }) => ({ body, origin }))
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
