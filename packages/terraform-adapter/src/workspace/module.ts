import { type Call, GitOpsError, type Snapshot, type TreeEntry, walk } from '@gitops-sdk/core'

/** The files a root module is made of: its own folder, the local modules it calls, and what was named beside them. */
export interface ModuleFiles {
  /** The folder of the root module, from the root of the snapshot. */
  readonly root: string
  /** Sorted by path. */
  readonly files: readonly ModuleFile[]
}

/** One file. */
interface ModuleFile {
  readonly path: string
  readonly digest: string
  readonly read: (call: Call) => Promise<Uint8Array>
}

/** Which modules are read. */
export interface ModuleOptions {
  /** The folder of the root module. */
  readonly path: string
  /** Files and folders outside of it that it reads with `file(…)` and the like: those cannot be seen from outside. */
  readonly extraPaths: readonly string[]
}

/** The name of the file that gives the module its variables. Reserved: a module that has one is refused. */
export const variablesFile = 'zz-gitops.auto.tfvars.json'
/** The name of the file that gives the module its backend. Reserved as well. */
export const backendFile = 'zz_gitops_override.tf.json'

/** Finds the files of a module by following the calls of local modules. Throws `DECLARATION_EMPTY` and `DECLARATION_INVALID`. */
export async function moduleFiles(snapshot: Snapshot, options: ModuleOptions, call: Call): Promise<ModuleFiles> {
  const files = new Map<string, ModuleFile>()
  const folders = [options.path]
  const seen = new Set<string>()
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    if (seen.has(folder)) continue
    seen.add(folder)
    const found = await filesBelow(snapshot, folder, call)
    for (const file of found) files.set(file.path, file)
    for (const file of found) folders.push(...(await localModules(file, call)))
  }
  for (const path of options.extraPaths)
    for (const file of await filesAt(snapshot, path, call)) files.set(file.path, file)
  checkRoot(options.path, files)
  const sorted = [...files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return { root: options.path, files: sorted }
}

async function filesBelow(snapshot: Snapshot, folder: string, call: Call): Promise<ModuleFile[]> {
  const found: ModuleFile[] = []
  for await (const entry of walk(snapshot, folder, call)) found.push(fileOf(snapshot, entry))
  return found
}

async function filesAt(snapshot: Snapshot, path: string, call: Call): Promise<ModuleFile[]> {
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
  for await (const entry of snapshot.list(parent, call)) {
    if (entry.path === path && entry.type !== 'folder') return [fileOf(snapshot, entry)]
  }
  return filesBelow(snapshot, path, call)
}

function fileOf(snapshot: Snapshot, { path, digest, type }: TreeEntry): ModuleFile {
  // What the binary keeps there decides which workspace, providers and modules it uses.
  if (path.split('/').includes('.terraform')) {
    throw new GitOpsError(
      'DECLARATION_INVALID',
      `${path} is in a folder of the binary itself. Remove it from the source.`,
    )
  }
  if (type !== 'file') {
    throw new GitOpsError('SOURCE_SYMLINK', `${path} is a ${type}; a module may hold plain files only.`)
  }
  return { path, digest, read: (call) => snapshot.read(path, call) }
}

const isConfiguration = (path: string): boolean => /\.(tf|tofu)(\.json)?$/.test(path)

/** The folders that a file names as local modules. Too many does no harm: they count, and are not used. */
async function localModules({ path, read }: ModuleFile, call: Call): Promise<string[]> {
  if (!isConfiguration(path)) return []
  const text = new TextDecoder().decode(await read(call))
  return [...text.matchAll(/"?source"?\s*[=:]\s*"(\.\.?\/[^"$%]*)"/g)].map(([, source = '']) =>
    localModule(source, path),
  )
}

/** The folder that a file means by a local source. Throws `DECLARATION_INVALID` where it lies outside. */
export function localModule(source: string, path: string): string {
  const folder = parentOf(path)
  const names = folder === '' ? [] : folder.split('/')
  for (const name of source.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.pop() === undefined) throw outside(source, path)
  }
  return names.join('/')
}

function outside(source: string, path: string): GitOpsError {
  return new GitOpsError('DECLARATION_INVALID', `${path}: the module ${source} is outside of the source.`)
}

function checkRoot(root: string, files: ReadonlyMap<string, ModuleFile>): void {
  const inside = [...files.keys()].filter((path) => parentOf(path) === root)
  if (!inside.some(isConfiguration)) {
    const where = root === '' ? 'the root of the source' : root
    throw new GitOpsError('DECLARATION_EMPTY', `There is no .tf file in ${where}. Check the path of the module.`)
  }
  const reserved = inside.find((path) => path.endsWith(variablesFile) || path.endsWith(backendFile))
  if (reserved === undefined) return
  throw new GitOpsError('DECLARATION_INVALID', `${reserved} is a name that the target writes itself. Rename the file.`)
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}
