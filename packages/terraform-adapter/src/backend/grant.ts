import type { ProcessIdentity } from '../cli/identity.ts'
import type { LeaseBook } from './lease.ts'
import type { StateVersions } from './versions.ts'

/** What the right to use a state is made of. */
export interface GrantRequest {
  readonly run: string
  /** A run that only plans may not write. */
  readonly mode: 'read' | 'write'
  readonly versions: StateVersions
  readonly leases: LeaseBook
}

/** A grant while it is valid. */
export interface Grant extends GrantRequest {
  process: ProcessIdentity | undefined
}
