import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import type { Timed } from '../harness.ts'

/** `program` of this folder as one file of plain JavaScript in `folder`: as a user runs it, without a loader of types. */
export async function bundle(program: string, folder: string): Promise<string> {
  const outfile = join(folder, `${basename(program, '.ts')}.mjs`)
  await build({
    entryPoints: [join(import.meta.dirname, program)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['isomorphic-git'],
    conditions: ['@gitops-sdk/source'],
    banner: requireBanner,
  })
  return outfile
}

/** `semver` is CommonJS and asks for `require`. */
const requireBanner = {
  js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
}

/** A process that answers one question after the other. */
export interface PlainProcess extends AsyncDisposable {
  ask(question: object): Promise<Answered>
}

/** An answer, and how long it took to find it. */
export interface Answered extends Timed {
  readonly answer: unknown
}

type Reply = Answered | { readonly failure: string }

/**
 * Starts `program` of this folder, which answers questions with `answerEach`. Starting a program takes longer the more
 * memory the process has that starts it, so that what starts programs here is as small as it can be.
 */
export async function startPlainProcess(program: string): Promise<PlainProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-bench-'))
  const child: ChildProcess = fork(await bundle(program, folder), { execArgv: [], serialization: 'json' })
  return {
    ask: async (question) => {
      const replied = once(child, 'message')
      child.send(question)
      const [reply] = (await replied) as [Reply]
      if ('failure' in reply) throw new Error(reply.failure)
      return reply
    },
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Answers the questions of the process that started this one. */
export function answerEach(answer: (question: unknown) => unknown): void {
  process.on('message', (question) => {
    void reply(question, answer).then((said) => process.send?.(said))
  })
}

async function reply(question: unknown, answer: (question: unknown) => unknown): Promise<Reply> {
  const start = performance.now()
  try {
    return { answer: await answer(question), elapsedMs: performance.now() - start }
  } catch (error) {
    return { failure: String(error) }
  }
}
