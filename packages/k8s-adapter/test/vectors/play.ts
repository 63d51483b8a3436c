import type { Json } from '@gitops-sdk/core'
import type { HttpClientOptions } from '../../src/index.ts'
import { ask, COMPACT, filled, type Question, type RawAnswer } from './ask.ts'
import { normaliser } from './normalise.ts'
import type { Story } from './stories.ts'

/** A server that vectors are played on. */
export interface Player {
  connection(user?: string): HttpClientOptions
  compact(): void | Promise<void>
}

let count = 0

/** Asks every question of a story in a namespace of its own, and gives the answers without what differs in every run. */
export async function play(player: Player, { questions }: Story): Promise<Json[]> {
  const namespace = `vectors-${process.pid}-${++count}`
  const admin = player.connection()
  await ask(admin, { ask: 'POST /api/v1/namespaces', body: { metadata: { name: namespace } } })
  const normalise = normaliser(namespace)
  const answers: RawAnswer[] = []
  const answerTo = async (question: Question): Promise<RawAnswer> => {
    if (question.ask !== COMPACT)
      return ask(
        question.as === undefined ? admin : player.connection(question.as),
        filled(question, namespace, answers),
      )
    await player.compact()
    return { status: 200, warning: undefined, body: {} }
  }
  for (const question of questions) answers.push(await answerTo(question))
  return answers.map((answer, index) =>
    questions[index]?.brief === true ? { status: answer.status } : normalise(answer),
  )
}
