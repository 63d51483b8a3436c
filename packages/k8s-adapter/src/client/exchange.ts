import { setMaxListeners } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { abortError, type Call, GitOpsError } from '@gitops-sdk/core'

/** The whole of an answer. */
export interface Exchanged {
  readonly response: IncomingMessage
  readonly text: string
}

/** How an exchange is told of when it fails. */
export interface Exchange {
  /** `GET /api/v1/pods`. */
  readonly activity: string
  readonly timeoutMs: number
  /** What a connection that broke means. */
  readonly broken: (cause: unknown) => GitOpsError
}

/**
 * Begins a request and reads the whole answer. Rejects with `DEADLINE_EXCEEDED` when the time is up and as soon as the call
 * is aborted, also while the request is begun; the connection is then closed.
 *
 * One promise, one timer and one listener for all of it: thousands of small answers come through here.
 */
export function exchange(
  begin: () => Promise<ClientRequest>,
  { activity, timeoutMs, broken }: Exchange,
  { clock, signal }: Call,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    let outgoing: ClientRequest | undefined
    let isOver = false
    const end = (): boolean => {
      if (isOver) return false
      isOver = true
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      return true
    }
    const fail = (cause: unknown): void => {
      if (!end()) return
      outgoing?.destroy()
      reject(broken(cause))
    }
    const onAbort = (): void => fail(abortError(signal))
    const timer = clock.setTimer(timeoutMs, () => {
      const message = `${activity} took longer than ${timeoutMs} ms and was given up.`
      fail(new GitOpsError('DEADLINE_EXCEEDED', message))
    })
    // Many requests of one run are under way at a time: that is no leak.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    const take = (response: IncomingMessage): void => {
      const succeed = (text: string): void => {
        if (end()) resolve({ response, text })
      }
      collect(response, succeed, fail)
    }
    const listen = (begun: ClientRequest): void => {
      outgoing = begun
      begun.on('error', fail)
      begun.on('response', take)
      if (isOver) begun.destroy()
    }
    begin().then(listen, fail)
  })
}

/** Reads what is left of an answer. Not with `for await`: its iterator costs more than everything else about a small one. */
export function collect(
  response: IncomingMessage,
  succeed: (text: string) => void,
  fail: (cause: unknown) => void,
): void {
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  response.on('end', () => succeed(textOf(chunks)))
  response.on('error', fail)
  response.on('close', () => fail(new Error('the connection was closed in the middle of the answer')))
}

function textOf([first, ...more]: readonly Buffer[]): string {
  if (first === undefined) return ''
  return (more.length === 0 ? first : Buffer.concat([first, ...more])).toString('utf8')
}
