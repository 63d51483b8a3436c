import type { Call } from '../../runtime/call.ts'
import type { Redactor } from '../../runtime/redactor.ts'
import type { Snapshot, Source } from '../../source/source.ts'
import { type DataKeyProvider, decryptSopsFile } from './decrypt.ts'

/** How encrypted files are opened. */
export interface SopsOptions {
  /** Finds the data key of a file: `ageKeys`, or a function that asks a key service. */
  readonly keys: DataKeyProvider
  /** Learns every value that was opened, so that none of them leaves in a log, an event or an error. */
  readonly redactor?: Redactor
}

/**
 * A source whose files of SOPS (YAML and JSON) are opened when they are read, in memory only. Digests
 * stay those of the encrypted files. A file that cannot be opened or was tampered with fails the read
 * with `SECRET_DECRYPT`; it is never passed on encrypted.
 */
export function decryptSops(source: Source, options: SopsOptions): Source {
  return {
    id: source.id,
    resolve: (call) => source.resolve(call),
    snapshot: async (revision, call) => openSnapshot(await source.snapshot(revision, call), options),
    // What a source lacks must stay absent: the engine asks by looking.
    ...(source.watch && { watch: (call) => source.watch!(call) }),
    ...(source.writer && { writer: source.writer }),
    ...(source[Symbol.asyncDispose] && { [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]!() }),
  }
}

function openSnapshot(snapshot: Snapshot, options: SopsOptions): Snapshot {
  return {
    revision: snapshot.revision,
    digest: (path, call) => snapshot.digest(path, call),
    list: (path, call) => snapshot.list(path, call),
    read: (path, call) => readOpen(snapshot, path, options, call),
  }
}

async function readOpen(
  snapshot: Snapshot,
  path: string,
  { keys, redactor }: SopsOptions,
  call: Call,
): Promise<Uint8Array> {
  const bytes = await snapshot.read(path, call)
  if (!/\.(ya?ml|json)$/i.test(path) || !mentions(bytes, 'sops')) return bytes
  const opened = await decryptSopsFile(bytes, path, keys, call)
  for (const secret of opened?.secrets ?? []) redactor?.add(secret)
  return opened?.bytes ?? bytes
}

/** Whether `word` (ASCII) occurs: cheap, so that ordinary files are not parsed twice. */
function mentions(bytes: Uint8Array, word: string): boolean {
  const codes = new TextEncoder().encode(word)
  for (let at = bytes.indexOf(codes[0] ?? 0); at >= 0; at = bytes.indexOf(codes[0] ?? 0, at + 1))
    if (codes.every((code, index) => bytes[at + index] === code)) return true
  return false
}
