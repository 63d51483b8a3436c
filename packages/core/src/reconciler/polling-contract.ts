import type { Revision, Source } from '../source/source.ts'
import type { Member } from './member.ts'

/** Asks the sources for new revisions. Applications that share a source share its polls. */
export interface Polling {
  /** Asks again on the interval of the application from now on, and listens to pushes. */
  follow(member: Member): void
  /** Stops asking on behalf of the application. */
  unfollow(member: Member): void
  /** Asks now. Every application on the same source learns of it. Rejects when the source cannot be read. */
  poll(source: Source): Promise<Revision>
  stop(): void
}
