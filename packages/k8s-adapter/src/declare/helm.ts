import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Call, GitOpsError, type JsonObject, type Rendered, type Renderer } from '@gitops-sdk/core'
import { runTool, type ToolLimits } from '@gitops-sdk/core/node'
import { checkArchive } from './archive.ts'
import { documentsIn } from './files.ts'
import { type FolderLimits, folderLimits, placeInside, type WrittenFolder, writeFolder } from './folder.ts'

/** How Helm is run. */
export interface HelmOptions {
  /** Absolute path of `helm`, version 3 or 4. */
  readonly program: string
  readonly releaseName: string
  readonly namespace: string
  /** Passed to the chart as they are, after `valueFiles`. */
  readonly values?: JsonObject
  /** Paths from the root of the snapshot, later ones win. */
  readonly valueFiles?: readonly string[]
  /** What the chart is told about the cluster. @defaultValue what Helm assumes by itself */
  readonly kubeVersion?: string
  readonly apiVersions?: readonly string[]
  /** @defaultValue true */
  readonly includeCrds?: boolean
  /** @defaultValue those of `ToolLimits` */
  readonly limits?: Partial<ToolLimits & FolderLimits>
}

const releaseName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/**
 * Renders a chart of the snapshot with the Helm binary of the user (`helm template`). Its dependencies
 * must be vendored in `charts/`: nothing is fetched, and no cluster is asked. Packed ones (`.tgz`) are looked
 * through before Helm unpacks them: `RENDER_FAILED` for links, devices and paths that lead elsewhere. Hooks of the chart come
 * out with their annotations, which `declare` understands.
 */
export function helmRenderer(options: HelmOptions): Renderer {
  if (!releaseName.test(options.releaseName) || options.releaseName.length > 53)
    throw new GitOpsError('CONFIG_INVALID', 'releaseName must be a name of up to 53 lower-case letters, digits and -.')
  return {
    name: 'helm',
    async render({ snapshot, path }, call): Promise<Rendered> {
      const limits = options.limits ?? {}
      await using folder = await writeFolder(snapshot, { ...folderLimits, ...limits }, call)
      await checkPacked(folder, { ...folderLimits, ...limits })
      const run = { program: options.program, folder: folder.root, limits, env: homes(folder.root) }
      const operands = [options.releaseName, placeInside(folder.root, path)]
      const { exitCode, stdout, stderr } = await runTool(
        { ...run, options: await wordsOf(options, folder.root), operands },
        call,
      )
      if (exitCode !== 0) throw failed(path, exitCode, stderr.replaceAll(folder.root, '').trim().slice(0, 2000))
      return { documents: documentsIn(stdout, `helm ${path}`), tool: await versionOf(options.program, call) }
    },
  }
}

/** Helm unpacks every archive it finds in a chart. */
async function checkPacked({ root, paths }: WrittenFolder, limits: FolderLimits): Promise<void> {
  for (const path of paths)
    if (/\.(tgz|tar\.gz)$/i.test(path)) checkArchive(await readFile(placeInside(root, path)), path, limits)
}

async function wordsOf(options: HelmOptions, root: string): Promise<string[]> {
  const words = ['template', `--namespace=${options.namespace}`]
  if (options.includeCrds !== false) words.push('--include-crds')
  for (const path of options.valueFiles ?? []) words.push(`--values=${placeInside(root, path)}`)
  if (options.values !== undefined) {
    const file = join(root, '.gitops-sdk-values.json')
    await writeFile(file, JSON.stringify(options.values), { mode: 0o600 })
    words.push(`--values=${file}`)
  }
  if (options.kubeVersion !== undefined) words.push(`--kube-version=${options.kubeVersion}`)
  for (const version of options.apiVersions ?? []) words.push(`--api-versions=${version}`)
  return words
}

/** Helm keeps repositories, plugins and a cache by user: none of them is to be seen. */
function homes(root: string): Record<string, string> {
  const home = join(root, '.gitops-sdk-helm')
  return { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, KUBECONFIG: join(home, 'none') }
}

async function versionOf(program: string, call: Call): Promise<string> {
  const { stdout } = await runTool({ program, options: ['version', '--short'], folder: '/' }, call)
  return `helm ${new TextDecoder().decode(stdout).trim()}`
}

function failed(path: string, exitCode: number | null, said: string): GitOpsError {
  return new GitOpsError(
    'RENDER_FAILED',
    `Helm refused the chart ${path === '' ? 'in the root folder' : path}: ${said}`,
    {
      details: { path, exitCode },
    },
  )
}
