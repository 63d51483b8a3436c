import { parseArgs } from 'node:util'
import { showRepository } from './show-repository.ts'
import { tellTheStory } from './story.ts'

const usage =
  'demo                                      the whole story, on a repository that it makes\ndemo --repo <url or folder> [--path <folder>] [--ref <branch, tag or commit>]   look at a repository of yours; nothing is written'

process.exitCode = await main()

async function main(): Promise<number> {
  const given = options()
  if (typeof given === 'string') {
    console.error(`${given}\n\n${usage}`)
    return 2
  }
  return given.repo === undefined ? tellTheStory() : showRepository(given.repo, given.path ?? '', given.ref)
}

/** What was asked for, or what is wrong with it. */
function options(): { readonly repo?: string; readonly path?: string; readonly ref?: string } | string {
  try {
    const text = { type: 'string' } as const
    return { ...parseArgs({ options: { repo: text, path: text, ref: text } }).values }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
