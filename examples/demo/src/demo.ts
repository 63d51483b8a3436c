import { parseArgs } from 'node:util'
import { showRepository } from './show-repository.ts'
import { tellTheStory } from './story.ts'

const { values } = parseArgs({
  options: { repo: { type: 'string' }, path: { type: 'string' }, ref: { type: 'string' } },
})

process.exitCode =
  values.repo === undefined ? await tellTheStory() : await showRepository(values.repo, values.path ?? '', values.ref)
