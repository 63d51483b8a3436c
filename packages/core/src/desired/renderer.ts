import type { RunCall } from '../runtime/call.ts'
import type { Snapshot } from '../source/source.ts'
import type { Document } from './decode.ts'

/**
 * Turns a folder of a snapshot into documents: plain files, an overlay tool, a chart, a function.
 *
 * Pure: the same folder and the same inputs give the same documents. Throws `RENDER_FAILED` when a tool
 * refuses its input, and what decoding throws. Never reads outside the snapshot and never asks a network
 * unless its options say so.
 */
export interface Renderer {
  /** For people: `kustomize`, `helm`, `files`. */
  readonly name: string
  render(folder: RenderFolder, call: RunCall): Promise<Rendered>
}

/** What is rendered. */
export interface RenderFolder {
  readonly snapshot: Snapshot
  /** The folder, or the file, from the root of the snapshot; `''` is the root. */
  readonly path: string
}

/** What came out. */
export interface Rendered {
  readonly documents: readonly RenderedDocument[]
  /** Name and version of the tool, where one was run. Another version may render differently: it counts into the digest. */
  readonly tool?: string
  readonly warnings?: readonly string[]
}

/** One document, and where it stands or was made from. */
export type RenderedDocument = Pick<Document, 'body' | 'origin'>
