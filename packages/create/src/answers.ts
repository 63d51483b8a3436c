import { parseArgs } from 'node:util'

/** What a starter is made of. */
export interface Answers {
  readonly kind: 'embedder' | 'adapter'
  /** The folder it is written to; its last part is the name of the package. */
  readonly folder: string
}

/** Asks a person one question. Absent where nobody is there to answer. */
export type Ask = (question: string) => Promise<string>

/** Said to whoever asks for help, and whenever an answer is missing. */
export const usage = `npm create @gitops-sdk -- <folder> --kind <embedder|adapter>

  embedder  a platform of your own with a reconciler in it, and its tests
  adapter   a target for a system of your own, with the conformance test
`

/** The answers from the arguments, and from questions where these say nothing. Throws with a sentence for a person. */
export async function answersFrom(args: readonly string[], ask: Ask | undefined): Promise<Answers | 'help'> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { kind: { type: 'string' }, help: { type: 'boolean' } },
  })
  if (values.help === true) return 'help'
  const kind = values.kind ?? (await answer(ask, 'Embed it in a platform, or write an adapter? (embedder/adapter) '))
  if (kind !== 'embedder' && kind !== 'adapter') {
    const given = kind === '' ? '' : `, not ${JSON.stringify(kind)}`
    throw new Error(`Say what to write: --kind is embedder or adapter${given}.\n\n${usage}`)
  }
  const folder = positionals[0] ?? (await answer(ask, 'Into which folder? '))
  if (folder.trim() === '') throw new Error(`Say into which folder.\n\n${usage}`)
  return { kind, folder: folder.trim() }
}

async function answer(ask: Ask | undefined, question: string): Promise<string> {
  return ask === undefined ? '' : (await ask(question)).trim()
}
