import { decodeDocuments } from '../desired/decode.ts'
import { desiredState, resource } from '../desired/build.ts'
import type { DesiredState, Order, Resource, ResourceOptions, ResourceRef } from '../desired/desired.ts'
import { fileReader } from '../desired/file-reader.ts'
import type { RunCall } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { JsonObject } from '../runtime/json.ts'
import type { Snapshot, TreeEntry } from '../source/source.ts'
import { walk } from '../source/walk.ts'

/** Which files are declarations, and what becomes of their bodies. */
export interface DeclareFilesOptions {
  /** The folder of the snapshot. */
  readonly path: string
  /** Fills values of other applications into a body. */
  readonly render: ((body: JsonObject, call: RunCall) => JsonObject) | undefined
}

/**
 * Reads one resource per file. The path is the ref: `kind/name.json` or `kind/namespace/name.json`.
 * The members `$order`, `$options` and `$sensitive` are exceptions, all others are the body.
 */
export function declareFiles({
  path,
  render,
}: DeclareFilesOptions): (snapshot: Snapshot, call: RunCall) => Promise<DesiredState> {
  const start = path === '' ? 0 : path.length + 1
  const read = fileReader((bytes, file) => declared(file.slice(start), file, onlyDocument(bytes, file)))
  return async (snapshot, call) => {
    const entries: TreeEntry[] = []
    for await (const entry of walk(snapshot, path, call)) entries.push(entry)
    const files = await read(snapshot, entries, call)
    const resources = render === undefined ? files : files.map((each) => withBody(each, render(each.body, call)))
    return desiredState(snapshot.revision, resources, { inputs: JSON.parse(JSON.stringify(call.inputs)) })
  }
}

function onlyDocument(bytes: Uint8Array, path: string): JsonObject {
  const format = /\.ya?ml$/.test(path) ? 'yaml' : 'json'
  const documents = [...decodeDocuments(bytes, path, { format })]
  if (documents.length !== 1) throw invalid(path, `it has ${documents.length} documents, not one`)
  return documents[0]!.body
}

function declared(name: string, path: string, { $order, $options, $sensitive, ...body }: JsonObject): Resource {
  return resource({
    ref: refOf(name),
    body,
    origin: { path, line: 1 },
    // The test that writes the file is the only one to read these; a wrong shape fails there.
    ...($order !== undefined && { order: $order as unknown as Order }),
    ...($options !== undefined && { options: $options as unknown as ResourceOptions }),
    ...($sensitive !== undefined && { sensitive: $sensitive as unknown as string[] }),
  })
}

function withBody({ digest: _digest, ...declared }: Resource, body: JsonObject): Resource {
  return resource({ ...declared, body })
}

/** The ref a path stands for: `queue/orders.json` is the queue `orders`. */
function refOf(path: string): ResourceRef {
  const [kind, ...rest] = path.replace(/\.(json|ya?ml)$/, '').split('/')
  const name = rest.pop()
  if (kind === undefined || name === undefined) throw invalid(path, 'its path is not kind/name or kind/namespace/name')
  return rest.length === 0 ? { kind, name } : { kind, namespace: rest.join('/'), name }
}

function invalid(path: string, why: string): GitOpsError {
  return new GitOpsError('DECLARATION_INVALID', `${path} is not a declaration: ${why}.`)
}
