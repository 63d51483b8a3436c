import { type Call, GitOpsError, type JsonObject, type Rendered, type Renderer } from '@gitops-sdk/core'
import { decodeDocuments } from '@gitops-sdk/core/files'
import { runTool, type ToolLimits } from '@gitops-sdk/core/node'
import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { objectAt, objectsOf, textsOf } from '../client/json.ts'
import { documentsIn, isKustomization } from './files.ts'
import { type FolderLimits, folderLimits, placeInside, type WrittenFolder, writeFolder } from './folder.ts'

/** How Kustomize is run. */
export interface KustomizeOptions {
  /** Absolute path of `kustomize`, or of `kubectl`. */
  readonly program: string
  /** Words between the program and the folder. @defaultValue ['build'], or ['kustomize'] for a program called kubectl */
  readonly command?: readonly string[]
  /** Permits bases on other servers. The tool then uses the network. @defaultValue false */
  readonly remoteBases?: boolean
  /** @defaultValue those of `ToolLimits` */
  readonly limits?: Partial<ToolLimits & FolderLimits>
}

/**
 * Renders with the Kustomize binary of the user. No plugins, no Helm, nothing outside the snapshot. Before
 * the tool is started, every reference of every kustomization it would read must name a file or folder of
 * the snapshot: a remote base is refused (`RENDER_FAILED`) unless it is permitted.
 */
export function kustomizeRenderer(options: KustomizeOptions): Renderer {
  const { program, remoteBases = false, limits = {} } = options
  const command = options.command ?? (/(^|[\\/])kubectl(\.exe)?$/.test(program) ? ['kustomize'] : ['build'])
  return {
    name: 'kustomize',
    async render({ snapshot, path }, call): Promise<Rendered> {
      await using folder = await writeFolder(snapshot, { ...folderLimits, ...limits }, call)
      if (!remoteBases) await refuseRemote(folder, path)
      const run = { program, options: command, operands: [placeInside(folder.root, path)], folder: folder.root, limits }
      const { exitCode, stdout, stderr } = await runTool(run, call)
      if (exitCode !== 0) throw failed(path, exitCode, withoutFolder(stderr, folder.root))
      return { documents: documentsIn(stdout, `kustomize ${path}`), tool: await versionOf(program, call) }
    },
  }
}

async function versionOf(program: string, call: Call): Promise<string> {
  const options = /(^|[\\/])kubectl(\.exe)?$/.test(program) ? ['version', '--client', '-o', 'json'] : ['version']
  const { stdout } = await runTool({ program, options, folder: '/' }, call)
  return `kustomize ${new TextDecoder().decode(stdout).replace(/\s+/g, ' ').trim()}`
}

/** Fields that name other files or folders. */
const referring = ['resources', 'bases', 'components', 'configurations', 'crds', 'patchesStrategicMerge']

/** Fields that name, or hold, configurations of generators and transformers, which name files again. */
const configuring = ['generators', 'transformers', 'validators']

/** What a kustomization would have the tool read. */
interface References {
  readonly plain: readonly string[]
  readonly configurations: readonly string[]
}

async function refuseRemote(folder: WrittenFolder, start: string): Promise<void> {
  const seen = new Set<string>()
  const follow = async (file: string): Promise<void> => {
    if (seen.has(file)) return
    seen.add(file)
    const { plain, configurations } = referencesIn(await readFile(placeInside(folder.root, file)), file)
    for (const reference of plain) await visit(resolveReference(folder, file, reference))
    for (const reference of configurations) {
      const path = resolveReference(folder, file, reference)
      await (folder.paths.has(path) ? follow(path) : visit(path))
    }
  }
  const visit = async (path: string): Promise<void> => {
    const file = kustomizationNames.map((name) => posix.join(path, name)).find((each) => folder.paths.has(each))
    if (file !== undefined) await follow(file)
  }
  await visit(start)
}

const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

function referencesIn(bytes: Uint8Array, file: string): References {
  const all = [...decodeDocuments(bytes, file)].map(({ body }) => referencesOf(body, file))
  return { plain: all.flatMap(({ plain }) => plain), configurations: all.flatMap((each) => each.configurations) }
}

function referencesOf(body: JsonObject, file: string): References {
  if (body['helmCharts'] !== undefined || body['helmChartInflationGenerator'] !== undefined)
    throw new GitOpsError('RENDER_FAILED', `${file} asks for Helm charts, which come from a network. Vendor them.`)
  const configured = configuring.flatMap((field) => textsOf(body[field]))
  const inside = configured.filter(isInline).map((text) => referencesIn(new TextEncoder().encode(text), file))
  const holders = ['patches', 'patchesJson6902', 'replacements', 'configMapGenerator', 'secretGenerator']
  const plain = [
    ...referring.flatMap((field) => textsOf(body[field]).filter((text) => !isInline(text))),
    // The body itself: it may be the configuration of a generator.
    ...[body, ...holders.flatMap((field) => objectsOf(body[field])), objectAt(body, 'openapi')].flatMap(filesOf),
    ...inside.flatMap((each) => each.plain),
  ]
  const configurations = [
    ...configured.filter((text) => !isInline(text)),
    ...inside.flatMap((each) => each.configurations),
  ]
  return { plain, configurations }
}

const isInline = (text: string): boolean => text.includes('\n')

/** The files that a patch, a generator or a transformer reads: a path, or `key=path`. */
function filesOf(holder: JsonObject): string[] {
  const lists = ['files', 'envs', 'paths'].flatMap((field) => textsOf(holder[field]))
  const single = textsOf([holder['env'] ?? null, holder['path'] ?? null])
  return [...lists.map((text) => text.replace(/^[^=/]*=/, '')), ...single]
}

/** A reference as a path of the snapshot. What is no file and no folder of it would be fetched by the tool. */
function resolveReference(folder: WrittenFolder, file: string, reference: string): string {
  const path = posix.normalize(posix.join(posix.dirname(file), reference)).replace(/\/$/, '')
  const inside = path === '.' ? '' : path
  const known =
    folder.paths.has(inside) || [...folder.paths].some((each) => inside === '' || each.startsWith(`${inside}/`))
  if (!known || inside.startsWith('..'))
    throw new GitOpsError(
      'RENDER_FAILED',
      `${file} refers to ${reference}, which is not in the snapshot. Remote bases are refused: vendor them, or permit \`remoteBases\`.`,
    )
  return isKustomization(inside) ? posix.dirname(inside) : inside
}

function withoutFolder(text: string, root: string): string {
  return text.replaceAll(root, '').trim().slice(0, 2000)
}

function failed(path: string, exitCode: number | null, said: string): GitOpsError {
  return new GitOpsError('RENDER_FAILED', `Kustomize refused ${path === '' ? 'the root folder' : path}: ${said}`, {
    details: { path, exitCode },
  })
}
