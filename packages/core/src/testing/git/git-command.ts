import { spawn } from 'node:child_process'

/** Runs the git of this machine with nothing of its user's configuration, and gives what it printed. */
export async function runGit(args: readonly string[], options: GitCommandOptions): Promise<string> {
  return (await runGitForBytes(args, options)).toString('utf8').replace(/\n$/, '')
}

/** What a git command is run with. */
export interface GitCommandOptions {
  readonly cwd: string
  readonly input?: Uint8Array | string
  readonly env?: Readonly<Record<string, string>>
}

/** As `runGit`, byte for byte. */
export function runGitForBytes(args: readonly string[], options: GitCommandOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...args], { cwd: options.cwd, env: gitEnvironment(options.env), stdio: 'pipe' })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0
        ? resolve(Buffer.concat(out))
        : reject(new Error(`git ${args.join(' ')} ended with ${code}: ${Buffer.concat(err).toString('utf8')}`)),
    )
    child.stdin.on('error', () => {})
    child.stdin.end(options.input)
  })
}

/** An environment in which git behaves the same on every machine. */
export function gitEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@example.com',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@example.com',
    ...extra,
  }
}
