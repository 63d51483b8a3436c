import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ExitCode, runCli } from '@gitops-sdk/cli'
import { type ServedRepository, startGitServer } from '@gitops-sdk/core/testing/git'

/** A real repository and a folder of flags, and a command line that was told of both. */
export interface World extends AsyncDisposable {
  readonly repository: ServedRepository
  /** Runs `gitops` with these arguments. */
  gitops(...args: readonly string[]): Promise<Ran>
  /** The same, ended by Ctrl-C as soon as `isEnough` says so of what was written. */
  gitopsUntil(isEnough: (out: string) => boolean, ...args: readonly string[]): Promise<Ran>
  read(flag: string): Promise<unknown>
  /** Changes a flag behind the back of the platform. */
  tamper(flag: string, body: object): Promise<void>
}

export interface Ran {
  readonly code: ExitCode
  readonly out: string
  readonly err: string
}

const fixture = new URL('fixture', import.meta.url).pathname

export async function createWorld(mode: 'automatic' | 'approve' = 'automatic'): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), 'gitops-cli-'))
  const server = await startGitServer()
  const repository = await server.createRepository('flags')
  const fileOf = (flag: string): string => join(home, 'flags', `${flag}.json`)
  Object.assign(process.env, {
    TEST_REPOSITORY: repository.url,
    TEST_FOLDER: join(home, 'flags'),
    TEST_LEDGER: join(home, 'ledger'),
    TEST_MODE: mode,
  })
  const gitopsUntil: World['gitopsUntil'] = async (isEnough, ...args) => {
    const written = { out: '', err: '' }
    const interrupt = new AbortController()
    const code = await runCli(args, {
      out: (text) => {
        written.out += text
        if (isEnough(written.out)) interrupt.abort()
      },
      err: (text) => (written.err += text),
      cwd: fixture,
      colour: false,
      progress: false,
      signal: interrupt.signal,
      user: 'ada',
    })
    return { code, ...written }
  }
  return {
    repository,
    gitopsUntil,
    gitops: (...args) => gitopsUntil(() => false, ...args),
    read: async (flag) => JSON.parse(await readFile(fileOf(flag), 'utf8')),
    tamper: (flag, body) => writeFile(fileOf(flag), JSON.stringify(body)),
    [Symbol.asyncDispose]: async () => {
      await server.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}
