import type { Call } from '../../runtime/call.ts'
import type { RemoteRef } from './protocol/advertisement.ts'
import type { Remote } from './remote.ts'
import { type SharedRun, shareRun } from './share.ts'

/** Asks a server for refs, once for everybody who asks at the same time. */
export interface Poller {
  /**
   * Refs that start with one of `prefixes`, as they are after this was called: who asks while a poll
   * is under way waits for the next one, which serves all of them together.
   */
  refs(prefixes: readonly string[], call: Call): Promise<readonly RemoteRef[]>
}

interface Batch {
  readonly prefixes: Set<string>
  readonly run: SharedRun<readonly RemoteRef[]>
}

interface Answer {
  readonly at: number
  readonly prefixes: ReadonlySet<string>
  readonly refs: readonly RemoteRef[]
}

/** `shareMs`: an answer that is younger than this serves a later caller as well. */
export function createPoller(remote: Remote, shareMs: number): Poller {
  let running: Promise<unknown> = Promise.resolve()
  let next: Batch | undefined
  let last: Answer | undefined
  const start = (call: Call): Batch => {
    const prefixes = new Set<string>()
    const before = running
    const run = shareRun(call, async (own) => {
      await before
      next = undefined
      const askedAt = own.clock.monotonic()
      const refs = await remote.refs([...prefixes], own)
      last = { at: askedAt, prefixes, refs }
      return refs
    })
    running = run.wait({ signal: new AbortController().signal }).catch(() => {})
    return { prefixes, run }
  }
  return {
    refs: (prefixes, call) => {
      if (last !== undefined && isFresh(last, prefixes, shareMs, call)) return Promise.resolve(last.refs)
      next ??= start(call)
      for (const prefix of prefixes) next.prefixes.add(prefix)
      return next.run.wait(call)
    },
  }
}

function isFresh(last: Answer, prefixes: readonly string[], shareMs: number, call: Call): boolean {
  return call.clock.monotonic() - last.at < shareMs && prefixes.every((prefix) => last.prefixes.has(prefix))
}
