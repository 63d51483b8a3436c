import type { Call } from '../runtime/call.ts'

/**
 * A state store that desired state is pulled from: Git, a folder, an object store, memory.
 *
 * A failed read throws; it never looks like an empty store. Every method may be called again with
 * the same arguments and gives the same answer for the same revision.
 */
export interface Source extends Partial<AsyncDisposable> {
  /** Stable and safe to print: an address with credentials removed. */
  readonly id: string
  /** The newest revision. The cheap poll: asks, downloads nothing. */
  resolve(call: Call): Promise<Revision>
  /** The tree of one revision, read lazily. Also for a revision recorded earlier (rollback). */
  snapshot(revision: Revision, call: Call): Promise<Snapshot>
  /** Yields when the store may have changed. A hint: may be late, doubled or lost. */
  watch?(call: Call): AsyncIterable<void>
  /** Present when the source can be written: rollback and promotion commit through it. */
  readonly writer?: SourceWriter
}

/** One immutable version of a state store. Plain data. */
export interface Revision {
  /** Identifies the content: a full commit id, a digest. */
  readonly id: string
  /** What it was resolved from, for people: `main`, `v1.2.0`. */
  readonly name?: string
  /** When it was made, in epoch milliseconds. */
  readonly at?: number
  readonly author?: string
  /** First line of the message. */
  readonly message?: string
  /**
   * Id of the revision that was in force before and that this one does not continue: history was
   * rewritten (a force-push, a moved tag), and the source was told to follow.
   */
  readonly replaces?: string
}

/** The tree of one revision. Immutable, read lazily. Paths use `/`, have no leading slash; `''` is the root. */
export interface Snapshot {
  readonly revision: Revision
  /** Identifies the content of a file or subtree: equal digests mean equal content. Throws `PATH_NOT_FOUND`. */
  digest(path: string, call: Call): Promise<string>
  /** The direct children of a folder, sorted by name in code-unit order. Throws `PATH_NOT_FOUND`. */
  list(path: string, call: Call): AsyncIterable<TreeEntry>
  /** The bytes of a file. Throws `PATH_NOT_FOUND`. */
  read(path: string, call: Call): Promise<Uint8Array>
}

/** One entry of a folder. */
export interface TreeEntry {
  /** Full path from the root of the snapshot. */
  readonly path: string
  readonly type: 'file' | 'folder' | 'symlink' | 'submodule'
  readonly digest: string
  /** Bytes of a file, where known without reading it. */
  readonly sizeBytes?: number
}

/** Writes commits to a state store, compare-and-swap: an edit that lost a race is replayed or refused, never merged blindly. */
export interface SourceWriter {
  /**
   * Commits an edit on top of the newest revision and returns the new one. `edit` receives that
   * newest tree and may be called again on a newer one when a push loses a race.
   */
  commit(edit: (head: Snapshot) => Promise<SourceEdit> | SourceEdit, call: Call): Promise<Revision>
}

/** What one commit changes. Everything else stays byte-identical. */
export interface SourceEdit {
  readonly message: string
  readonly author?: { readonly name: string; readonly email: string }
  /** New content by path; `null` deletes. */
  readonly files: ReadonlyMap<string, Uint8Array | null>
}
