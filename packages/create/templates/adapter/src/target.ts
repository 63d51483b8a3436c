import {
  type ActualResource,
  GitOpsError,
  type Resource,
  type Target,
  type TreeEntry,
  applyEach,
  assessEach,
  desiredState,
  fileReader,
  observeEach,
  perResource,
  planByDiff,
  resource,
  walk,
} from '@gitops-sdk/core'
import { type Document, decodeDocuments } from '@gitops-sdk/core/files'
import type { Client } from './client.ts'

/** Keeps the items of a system as declared: YAML or JSON documents with a `name` and whatever the item holds. */
export function itemTarget(client: Client): Target {
  // A commit mostly changes a file or two: what the others declare is known.
  const itemsIn = fileReader((bytes, path) => Array.from(decodeDocuments(bytes, path), declareItem))
  return {
    kind: 'item',
    id: client.id,
    contract: 1,
    supports: perResource,

    async declare(snapshot, call) {
      const files: TreeEntry[] = []
      for await (const entry of walk(snapshot, '', call)) if (/\.(json|ya?ml)$/.test(entry.path)) files.push(entry)
      const items = await itemsIn(snapshot, files, call)
      return desiredState(snapshot.revision, items.flat())
    },

    observe: (desired, owned, call) => observeEach(desired, owned, call, ({ name }) => read(client, name, call.signal)),

    plan: async (desired, actual, request) => planByDiff(desired, actual, request),

    apply(plan, desired, call) {
      return applyEach(plan, desired, call, async ({ ref }, declared) => {
        if (declared === undefined) await client.remove(ref.name, call.signal)
        else await client.put(ref.name, { body: declared.body, managedBy: call.application }, call.signal)
      })
    },

    assess: async (desired, actual) => assessEach(desired, actual, () => 'healthy'),
  }
}

function declareItem({ body: { name, ...body }, origin, locate }: Document): Resource {
  if (typeof name === 'string' && /^[a-z][a-z0-9-]*$/.test(name)) {
    return resource({ ref: { kind: 'item', name }, body, origin })
  }
  const { path, line, column } = locate('/name')
  const message = `${path}:${line}:${column}: \`name\` must be small letters, digits and dashes.`
  throw new GitOpsError('DECLARATION_INVALID', message)
}

/** A failed read is never "not there": it is translated here, where the meaning of the client's errors is known. */
async function read(client: Client, name: string, signal: AbortSignal): Promise<ActualResource | undefined> {
  try {
    const item = await client.get(name, signal)
    if (item === undefined) return undefined
    const { body, managedBy } = item
    return { ref: { kind: 'item', name }, body, ...(managedBy !== undefined && { owner: managedBy }) }
  } catch (cause) {
    throw new GitOpsError('TARGET_UNREACHABLE', `${client.id} could not be asked for ${name}. Check the connection.`, {
      cause,
    })
  }
}
