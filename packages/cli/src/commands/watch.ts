import { once } from 'node:events'
import { describeEvent, isoTime } from '@gitops-sdk/core'
import type { Command, Run } from '../command.ts'

/** Runs the reconciler until it is interrupted, and tells every event as it happens. */
export const watch: Command = {
  name: 'watch',
  summary: 'keep reconciling and tell what happens, until Ctrl-C',
  operands: '[application …]',
  options: {},
  readOnly: false,
  run: async (run) => {
    const stop = tellEvents(run)
    run.reconciler.start()
    if (!run.io.signal.aborted) await once(run.io.signal, 'abort')
    await run.reconciler.stop()
    stop()
    return 0
  },
}

function tellEvents({ reconciler, applications, print }: Run): () => void {
  const chosen = new Set(applications)
  return reconciler.onAny((event) => {
    if (!chosen.has(event.application) || event.type === 'progressed') return
    print.value(event, { line: true })
    print.text(`${isoTime(event.at)} ${describeEvent(event)}`)
  })
}
