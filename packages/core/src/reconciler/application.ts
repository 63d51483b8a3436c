import type { ApplicationState } from '../feedback/state.ts'
import type { Source } from '../source/source.ts'
import type { Target } from '../target/target.ts'
import type { PolicyOptions } from './policy/policy.ts'

/** One source, one target, one policy. */
export interface Application {
  /** Unique in a reconciler. At most 253 characters, none of them a control character. */
  readonly name: string
  readonly source: Source
  readonly target: Target
  readonly policy?: PolicyOptions
  /** Names of applications that must be ready first. Their outputs are the inputs of this one. */
  readonly dependsOn?: readonly string[]
  /** Whose it is: `tenantConcurrency` counts by it. At most 253 characters. @defaultValue nobody's, and never counted */
  readonly tenant?: string
  /** For people, guards and metrics; no meaning to the engine. */
  readonly labels?: Readonly<Record<string, string>>
  /**
   * Replaces what "ready" means for the applications that depend on this one. One that throws means not ready.
   *
   * @defaultValue it was ready at the newest revision, is healthy, and could be read
   */
  readonly ready?: (state: ApplicationState) => boolean
}

/** Returns `application` as it is, typed. It is validated when a reconciler receives it. */
export function defineApplication<A extends Application>(application: A): A {
  return application
}
