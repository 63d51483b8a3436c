import type { ActualState } from '../actual/actual.ts'
import type { DesiredState } from '../desired/desired.ts'
import { label } from '../desired/ref.ts'
import type { Blocker } from '../feedback/events.ts'
import type { Health, ResourceHealth } from '../feedback/health.ts'
import { abortError } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { tell } from './engine.ts'
import { observe } from './look.ts'
import { type Session, ask } from './session.ts'

/** How soon health is judged again when nothing hints at a change: at first, and at most. */
const FIRST_LOOK_MS = 1_000
const LAST_LOOK_MS = 30_000

/**
 * Waits until `desired` works, and returns what was there then. No worker is held between two looks. Throws
 * `HEALTH_DEGRADED` when a resource failed and `HEALTH_DEADLINE`, naming the blocker, when the time is up.
 */
export async function untilHealthy(session: Session, desired: DesiredState): Promise<ActualState> {
  const { member, engine } = session
  const { clock } = engine.call
  const deadlineMs = clock.monotonic() + member.policy.healthTimeoutMs
  const deadlineAt = clock.now() + member.policy.healthTimeoutMs
  let lookMs = FIRST_LOOK_MS
  let told = ''
  for (;;) {
    const actual = await observe(session, desired)
    const health = await ask(session, 'assess', (call) => member.target.assess(desired, actual, call))
    tellHealth(session, health)
    if (health.status === 'healthy') return actual
    if (health.status === 'degraded')
      throw new GitOpsError('HEALTH_DEGRADED', `${member.name} does not work: ${health.message}`)
    const remainingMs = deadlineMs - clock.monotonic()
    if (remainingMs <= 0) throw tooLate(session, health)
    const blocker = blockerOf(health)
    if (blocker.message !== told) {
      tell(engine, { type: 'parked', application: member.name, blocker, deadlineAt })
      told = blocker.message
    }
    await nextLook(session, Math.min(lookMs, remainingMs))
    lookMs = Math.min(LAST_LOOK_MS, lookMs * 2)
  }
}

/** Judges health once and tells when it changed. */
export async function assessOnce(session: Session, desired: DesiredState, actual: ActualState): Promise<Health> {
  const health = await ask(session, 'assess', (call) => session.member.target.assess(desired, actual, call))
  tellHealth(session, health)
  return health
}

function tellHealth({ engine, member }: Session, health: Health): void {
  const before = engine.feedback.state(member.name)
  const previous = before?.health ?? 'unknown'
  if (previous === health.status && before?.healthMessage === health.message) return
  const resources = [...health.resources.values()].filter(({ status }) => status !== 'healthy')
  const { status, message } = health
  tell(engine, { type: 'healthChanged', application: member.name, status, previous, message, resources })
}

function tooLate({ member }: Session, health: Health): GitOpsError {
  const waitedMs = member.policy.healthTimeoutMs
  return new GitOpsError(
    'HEALTH_DEADLINE',
    `${member.name} did not become healthy within ${waitedMs} ms: ${health.message}`,
  )
}

const urgency = ['degraded', 'missing', 'unknown', 'progressing', 'suspended', 'healthy'] as const

function blockerOf(health: Health): Blocker {
  const worst = [...health.resources.values()].toSorted(byUrgency)[0]
  if (worst === undefined) return { kind: 'health', name: 'health', message: health.message }
  const name = label(worst.ref)
  return { kind: 'health', name, message: `${name}: ${worst.message}`, ref: worst.ref }
}

function byUrgency(left: ResourceHealth, right: ResourceHealth): number {
  return urgency.indexOf(left.status) - urgency.indexOf(right.status)
}

/** Resolves after `delayMs`, or at once when the target hints at a change; rejects when the run is ended. */
function nextLook({ member, engine, call }: Session, delayMs: number): Promise<void> {
  if (member.hinted) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const end = (finish: () => void) => (): void => {
      timer.cancel()
      member.wakeUps.delete(wake)
      call.signal.removeEventListener('abort', stop)
      finish()
    }
    const wake = end(resolve)
    const stop = end(() => reject(abortError(call.signal)))
    const timer = engine.call.clock.setTimer(delayMs, wake)
    if (call.signal.aborted) return stop()
    member.wakeUps.add(wake)
    call.signal.addEventListener('abort', stop, { once: true })
  })
}
