import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ActualResource, Resource, Target, TreeEntry } from '@gitops-sdk/core'
import { applyEach, assessEach, desiredState, fileReader, GitOpsError } from '@gitops-sdk/core'
import { observeEach, perResource, planByDiff, resource, walk } from '@gitops-sdk/core'
import { type Document, decodeDocuments } from '@gitops-sdk/core/files'

/**
 * Keeps a folder of feature flags as declared: one JSON file per flag, such as
 * `{ "enabled": true, "rollout": 25, "managedBy": "shop" }`.
 *
 * Declarations are YAML or JSON documents with the members `flag` (its name) and whatever the flag
 * holds. The member `managedBy` says which application a file belongs to.
 */
export function flagTarget(folder: string): Target {
  const fileOf = (name: string): string => join(folder, `${name}.json`)
  // A commit mostly changes a file or two: what the others declare is known.
  const flagsIn = fileReader((bytes, path) => Array.from(decodeDocuments(bytes, path), declareFlag))
  return {
    kind: 'feature flags',
    id: folder,
    contract: 1,
    supports: perResource,

    async declare(snapshot, call) {
      const files: TreeEntry[] = []
      for await (const entry of walk(snapshot, '', call)) if (/\.(json|ya?ml)$/.test(entry.path)) files.push(entry)
      const flags = await flagsIn(snapshot, files, call)
      return desiredState(snapshot.revision, flags.flat())
    },

    observe: (desired, owned, call) => observeEach(desired, owned, call, ({ name }) => readFlag(name, fileOf(name))),

    plan: async (desired, actual, request) => planByDiff(desired, actual, request),

    apply(plan, desired, call) {
      return applyEach(plan, desired, call, async ({ ref }, declared) => {
        if (declared === undefined) return rm(fileOf(ref.name), { force: true })
        await mkdir(folder, { recursive: true })
        await writeFile(
          `${fileOf(ref.name)}.new`,
          JSON.stringify({ ...declared.body, managedBy: call.application }, null, 2),
        )
        await rename(`${fileOf(ref.name)}.new`, fileOf(ref.name))
      })
    },

    assess: async (desired, actual) => assessEach(desired, actual, () => 'healthy'),
  }
}

function declareFlag({ body: { flag, ...body }, origin, locate }: Document): Resource {
  if (typeof flag === 'string' && /^[a-z][a-z0-9-]*$/.test(flag) && !('managedBy' in body)) {
    return resource({ ref: { kind: 'flag', name: flag }, body, origin })
  }
  const { path, line, column } = locate('/flag')
  const rule = '`flag` must be a name of small letters, digits and dashes, and `managedBy` is not declared'
  throw new GitOpsError('DECLARATION_INVALID', `${path}:${line}:${column}: ${rule}.`)
}

async function readFlag(name: string, file: string): Promise<ActualResource | undefined> {
  try {
    const { managedBy, ...body } = JSON.parse(await readFile(file, 'utf8'))
    return { ref: { kind: 'flag', name }, body, ...(managedBy && { owner: managedBy }) }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new GitOpsError('TARGET_INTERNAL', `${file} cannot be read. Look at the file and who may read it.`, { cause })
  }
}
