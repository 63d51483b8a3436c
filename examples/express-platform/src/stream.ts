import { type Reconciler, describeEvent } from '@gitops-sdk/core'
import type { Response } from 'express'

/** A reader who is behind by this much is let go; its browser connects again and asks for the state as it is then. */
const MAX_WAITING_BYTES = 1_048_576

/** Sends every event of the reconciler as a server-sent event, until the reader leaves. */
export function streamEvents(reconciler: Reconciler, response: Response): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write('retry: 1000\n\n')
  const stop = reconciler.onAny((event) => {
    if (response.writableLength > MAX_WAITING_BYTES) return void response.destroy()
    const { application, type, sequence } = event
    const data = JSON.stringify({ application, type, text: describeEvent(event) })
    response.write(`id: ${sequence}\ndata: ${data}\n\n`)
  })
  response.on('close', stop)
}
