// The git command line, run by a process of its own that stays small.
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { answerEach } from './plain-process.ts'

/** What it is asked to do, as a person would with these commands. */
export type GitTask =
  | { readonly task: 'clone'; readonly url: string; readonly folder: string }
  | { readonly task: 'poll'; readonly url: string; readonly clone: string }
  | { readonly task: 'advance'; readonly clone: string; readonly from: string; readonly mayBeEmpty: boolean }
  | { readonly task: 'read all'; readonly url: string }
  | { readonly task: 'read path'; readonly url: string; readonly path: string }

const execute = promisify(execFile)

answerEach((question) => perform(question as GitTask))

async function perform(asked: GitTask): Promise<unknown> {
  if (asked.task === 'clone') return clone(asked.url, asked.folder)
  if (asked.task === 'poll') return git(asked.clone, 'ls-remote', '--quiet', asked.url, 'refs/heads/main')
  if (asked.task === 'advance') return advance(asked.clone, asked.from, asked.mayBeEmpty)
  if (asked.task === 'read all') return inFolder((folder) => readAll(asked.url, folder))
  return inFolder((folder) => readPath(asked.url, asked.path, folder))
}

async function clone(url: string, folder: string): Promise<string> {
  await git(folder, 'clone', '--quiet', '--bare', '--depth=1', url, 'clone.git')
  return join(folder, 'clone.git')
}

/** Fetches, reads what changed since `from`, and tells where it is now. */
async function advance(folder: string, from: string, mayBeEmpty: boolean): Promise<string> {
  await git(folder, 'fetch', '--quiet', '--depth=1', 'origin', '+main:main')
  const diff = await git(folder, 'diff-tree', '-r', from, 'main')
  const oids = diff.split('\n').flatMap((line) => line.split(' ')[3] ?? [])
  if (oids.length === 0 && !mayBeEmpty) throw new Error('nothing changed')
  await catFiles(folder, oids)
  return git(folder, 'rev-parse', 'main')
}

async function readAll(url: string, folder: string): Promise<void> {
  const cloned = await clone(url, folder)
  const tree = await git(cloned, 'ls-tree', '-r', 'HEAD')
  await catFiles(
    cloned,
    tree.split('\n').map((line) => line.slice(12, 52)),
  )
}

async function readPath(url: string, path: string, folder: string): Promise<void> {
  await git(folder, 'clone', '--quiet', '--depth=1', '--filter=blob:none', '--sparse', url, 'clone')
  await git(join(folder, 'clone'), 'sparse-checkout', 'set', path)
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-bench-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' }
  const { stdout } = await execute('git', [...args], { cwd, env, maxBuffer: 2 ** 28 })
  return stdout.trimEnd()
}

function catFiles(folder: string, oids: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['cat-file', '--batch', '--buffer'], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] })
    let bytes = 0
    child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length))
    child.on('error', reject)
    child.on('close', () => resolve(bytes))
    child.stdin.end(`${oids.join('\n')}\n`)
  })
}
