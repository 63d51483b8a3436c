import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '@gitops-sdk/core'
import { play, type Player } from './play.ts'
import { type Story, stories } from './stories.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Record<string, Json[]>

/** Registers a test for each story: what a server answers is what was recorded from a real one. */
export function checkVectors(start: (how: Story['how']) => Promise<Player & AsyncDisposable>): void {
  const kinds = [...new Set(stories.map(({ how }) => how))]
  describe.each(kinds)('on a server that is %s', (how) => {
    let server: Player & AsyncDisposable
    beforeAll(async () => {
      server = await start(how)
    })
    afterAll(() => server[Symbol.asyncDispose]())
    test.each(stories.filter((story) => story.how === how))('$name', async (story) => {
      const answers = await play(server, story)
      const told = (all: readonly Json[] | undefined): unknown[] =>
        story.questions.map(({ ask }, index) => ({ ask, answer: all?.[index] }))
      expect(told(answers)).toEqual(told(recorded[story.name]))
    })
  })
}
