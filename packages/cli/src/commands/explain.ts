import { type Explanation, explain as explainState, systemClock } from '@gitops-sdk/core'
import type { Command, Run } from '../command.ts'
import type { ExitCode } from '../io.ts'
import { lookAt } from '../look.ts'
import { forEach } from './for-each.ts'
import { codeOf } from './status.ts'

/** One sentence, and what to do next. */
export const explain: Command = {
  name: 'explain',
  summary: 'what is the matter, in one sentence, and what to do next',
  operands: '[application …]',
  options: {},
  readOnly: true,
  run: (run) => forEach(run, (name) => showExplanation(run, name)),
}

async function showExplanation(run: Run, name: string): Promise<{ code: ExitCode; value: Explanation }> {
  const { state } = await lookAt(run, name)
  const found = explainState(state, (run.config.clock ?? systemClock).now())
  run.print.text(`${found.sentence}\nNext: ${found.next}`)
  return { code: codeOf(state), value: { ...found } }
}
