import type { ResourceRef } from '../desired/desired.ts'

/**
 * Does it work? `progressing` may still become healthy; `degraded` has failed; `suspended` waits for
 * somebody; `missing` is not there; `unknown` could not be read.
 */
export type HealthStatus = 'healthy' | 'progressing' | 'degraded' | 'suspended' | 'missing' | 'unknown'

/** The health of an application: the worst of its resources. */
export interface Health {
  readonly status: HealthStatus
  /** One sentence that names the resource which decides the status. */
  readonly message: string
  /** By `refKey`; resources that are healthy may be left out. */
  readonly resources: ReadonlyMap<string, ResourceHealth>
}

/** The health of one resource. */
export interface ResourceHealth {
  readonly ref: ResourceRef
  readonly status: HealthStatus
  /** For a program: `LessAvailable`, `ProgressDeadlineExceeded`. */
  readonly reason?: string
  readonly message: string
}
