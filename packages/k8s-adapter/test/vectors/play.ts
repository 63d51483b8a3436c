import type { Json } from '@gitops-sdk/core'
import type { HttpClientOptions } from '../../src/index.ts'
import { ask, filled, type RawAnswer } from './ask.ts'
import { normaliser } from './normalise.ts'
import type { Story } from './stories.ts'

/** A server that vectors are played on. */
export interface Player {
  connection(user?: string): HttpClientOptions
}

let count = 0

/** Asks every question of a story in a namespace of its own, and gives the answers without what differs in every run. */
export async function play(player: Player, { questions }: Story): Promise<Json[]> {
  const namespace = `vectors-${process.pid}-${++count}`
  const admin = player.connection()
  await ask(admin, { ask: 'POST /api/v1/namespaces', body: { metadata: { name: namespace } } })
  const normalise = normaliser(namespace)
  const answers: RawAnswer[] = []
  for (const question of questions)
    answers.push(
      await ask(
        question.as === undefined ? admin : player.connection(question.as),
        filled(question, namespace, answers),
      ),
    )
  return answers.map((answer, index) =>
    questions[index]?.brief === true ? { status: answer.status } : normalise(answer),
  )
}
