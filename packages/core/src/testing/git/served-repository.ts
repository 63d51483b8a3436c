import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runGit } from './git-command.ts'

/** A bare repository on the disk of a test server. */
export interface ServedRepository {
  readonly name: string
  /** Where a client finds it. */
  readonly url: string
  /** Where it is on disk. */
  readonly folder: string
  /** Commits on a branch, which is made when it is not there, and gives the commit id. */
  commit(files: CommittedFiles, options?: CommitOptions): Promise<string>
  /** Commits the opposite of what `commit` changed, as `git revert` does. */
  revert(commit: string, options?: CommitOptions): Promise<string>
  /** Runs git in the repository and gives what it printed. */
  git(...args: readonly string[]): Promise<string>
}

/** New content by path; `null` deletes. A link is a file whose content is its target. */
export type CommittedFiles = Readonly<Record<string, string | Uint8Array | CommittedFile | null>>

export interface CommittedFile {
  readonly content: string | Uint8Array
  /** @defaultValue `100644` */
  readonly mode: '100644' | '100755' | '120000'
}

export interface CommitOptions {
  /** @defaultValue `main` */
  readonly branch?: string
  readonly message?: string
  readonly author?: { readonly name: string; readonly email: string }
  /** Epoch milliseconds. @defaultValue one second after the commit before */
  readonly at?: number
}

/** Makes an empty repository that can be read and pushed to. */
export async function createServedRepository(
  folder: string,
  name: string,
  url: string,
  objectFormat: 'sha1' | 'sha256' = 'sha1',
): Promise<ServedRepository> {
  await mkdir(folder, { recursive: true })
  await runGit(['init', '--quiet', '--bare', '--initial-branch=main', `--object-format=${objectFormat}`, '.'], {
    cwd: folder,
  })
  await appendFile(join(folder, 'config'), settings)
  const git = (...args: readonly string[]): Promise<string> => runGit(args, { cwd: folder })
  let lastAt = 1_700_000_000_000
  const commit = async (files: CommittedFiles, options: CommitOptions = {}): Promise<string> => {
    lastAt = options.at ?? lastAt + 1000
    return importCommit(folder, files, { ...options, at: lastAt })
  }
  return { name, url, folder, git, commit, revert: (id, options) => revert(git, commit, id, options) }
}

const settings = `
[http]
	receivepack = true
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[gc]
	auto = 0
[receive]
	autogc = false
`

/** One commit through `git fast-import`, which needs no working tree. */
async function importCommit(
  folder: string,
  files: CommittedFiles,
  options: CommitOptions & { at: number },
): Promise<string> {
  const branch = `refs/heads/${options.branch ?? 'main'}`
  const parent = await headOf(folder, branch)
  const { name, email } = options.author ?? { name: 'Test', email: 'test@example.com' }
  const who = `${name} <${email}> ${Math.floor(options.at / 1000)} +0000`
  const head = [
    `commit ${branch}`,
    'mark :1',
    `author ${who}`,
    `committer ${who}`,
    ...data(options.message ?? 'A change'),
  ]
  const from = parent === '' ? [] : [`from ${parent}`]
  const body = [...head, ...from, ...Object.entries(files).flatMap(fileCommand), 'get-mark :1']
  const input = Buffer.concat(body.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]))
  return runGit(['fast-import', '--quiet', '--force'], { cwd: folder, input })
}

/** The commit of a branch, or nothing. Read from its file where it has one: a process less for each commit. */
async function headOf(folder: string, branch: string): Promise<string> {
  const loose = await readFile(join(folder, branch), 'utf8').catch(() => '')
  if (loose !== '') return loose.trim()
  return runGit(['rev-parse', '--quiet', '--verify', branch], { cwd: folder }).catch(() => '')
}

function fileCommand([path, file]: [string, CommittedFiles[string]]): (string | Uint8Array)[] {
  const quoted = `"${path.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`
  if (file === null || file === undefined) return [`D ${quoted}`]
  const plain = typeof file === 'string' || file instanceof Uint8Array
  const { content, mode } = plain ? { content: file, mode: '100644' } : file
  return [`M ${mode} inline ${quoted}`, ...data(content)]
}

function data(content: string | Uint8Array): (string | Uint8Array)[] {
  const bytes = Buffer.from(content)
  return [`data ${bytes.length}`, bytes]
}

async function revert(
  git: ServedRepository['git'],
  commit: ServedRepository['commit'],
  id: string,
  options: CommitOptions = {},
): Promise<string> {
  const changed = (await git('diff-tree', '-r', '--no-commit-id', '--name-only', '-z', `${id}^`, id)).split('\0')
  const files: Record<string, string | null> = {}
  for (const path of changed.filter((one) => one !== ''))
    files[path] = await git('show', `${id}^:${path}`).then(
      (text) => `${text}\n`,
      () => null,
    )
  const subject = await git('log', '-1', '--format=%s', id)
  return commit(files, { message: `Revert "${subject}"\n\nThis reverts commit ${id}.\n`, ...options })
}
