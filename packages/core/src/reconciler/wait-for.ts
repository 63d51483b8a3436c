import type { HealthStatus } from '../feedback/health.ts'
import type { ApplicationState } from '../feedback/state.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { Engine } from './engine.ts'

/** What is waited for. */
export interface WaitRequest {
  readonly application: string
  /** Ready at this revision; the beginning of its id is enough. @defaultValue the newest revision of the source */
  readonly revision?: string
  /** Wait for this health instead of for being ready. */
  readonly health?: HealthStatus
  /** @defaultValue 600_000 */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Resolves with the state as soon as it is as wanted. Throws `DEADLINE_EXCEEDED`, saying what it is still waiting for. */
export function waitFor(engine: Engine, request: WaitRequest): Promise<ApplicationState> {
  const { application, timeoutMs = 600_000, signal } = request
  const { feedback, call } = engine
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const state = feedback.state(application)
      if (state === undefined) end(() => reject(gone(application)))
      else if (isAsWanted(state, request)) end(() => resolve(state))
    }
    const end = (finish: () => void): void => {
      timer.cancel()
      stopListening()
      signal?.removeEventListener('abort', cancel)
      finish()
    }
    const cancel = (): void =>
      end(() => reject(new GitOpsError('CANCELLED', `The wait for ${application} was given up.`)))
    const stopListening = feedback.onAny((event) => {
      if (event.application === application) look()
    })
    const timer = call.clock.setTimer(timeoutMs, () => end(() => reject(tooLate(engine, request, timeoutMs))))
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted === true) cancel()
    else look()
  })
}

function isAsWanted({ health, ready, revision, hold }: ApplicationState, wanted: WaitRequest): boolean {
  if (wanted.health !== undefined) return health === wanted.health
  if (ready === undefined) return false
  const newest = hold?.revision ?? revision
  return wanted.revision === undefined ? ready.id === newest?.id : ready.id.startsWith(wanted.revision)
}

function gone(application: string): GitOpsError {
  return new GitOpsError('APPLICATION_UNKNOWN', `${application} was removed while it was waited for.`)
}

function tooLate({ feedback }: Engine, { application }: WaitRequest, timeoutMs: number): GitOpsError {
  const state = feedback.state(application)
  const why =
    state?.error?.message ?? state?.blocker?.message ?? state?.reasons[0]?.message ?? `it is ${state?.phase ?? 'gone'}`
  return new GitOpsError('DEADLINE_EXCEEDED', `${application} was not ready within ${timeoutMs} ms: ${why}`)
}
