import type { DesiredState } from '../desired/desired.ts'
import { type Call, sleep } from '../runtime/call.ts'
import type { Engine } from './engine.ts'
import type { Member } from './member.ts'

/** How long a watch that ended by itself rests before it is started again. */
const REST_MS = 5_000

/**
 * Listens to the target for changes of what is declared or owned. A watch that breaks may have missed something, so
 * that counts as a hint; until it runs again the target is observed on its interval.
 */
export function followTarget(engine: Engine, member: Member, desired: DesiredState): void {
  if (member.target.watch === undefined || member.watchedDigest === desired.digest) return
  // Another process watches this target.
  if (engine.share?.watches(member.target.id) === false) return
  member.stopWatch?.()
  const controller = new AbortController()
  const call = { ...engine.call, signal: controller.signal }
  member.watchedDigest = desired.digest
  member.stopWatch = () => {
    controller.abort()
    member.stopWatch = undefined
    member.watchedDigest = undefined
  }
  void follow(engine, member, desired, call)
}

async function follow(engine: Engine, member: Member, desired: DesiredState, call: Call): Promise<void> {
  const { target, name } = member
  while (!call.signal.aborted) {
    try {
      const inventory = member.record?.inventory ?? new Map()
      const hints = target.watch?.(desired, inventory, { ...call, application: name, inputs: {} })
      for await (const _ of hints ?? []) hint(engine, member)
    } catch (error) {
      if (call.signal.aborted) return
      call.log.warn(`${name}: the watch of ${target.id} broke and is started again.`, error)
    }
    if (call.signal.aborted) return
    hint(engine, member)
    await sleep(REST_MS, call).catch(() => {})
  }
}

/** Something may have changed: whoever waits for health looks again, and a run is due. */
function hint({ queue }: Engine, member: Member): void {
  member.hinted = true
  for (const wake of member.wakeUps) wake()
  if (member.run === undefined) queue.add(member.name, { trigger: 'watch' })
}
