import { type DesiredState, type RunCall, type Snapshot, type Variables, digestOf } from '@gitops-sdk/core'
import type { Kit, Module } from '../workspace/kit.ts'
import { type ModuleRestrictions, checkModule } from './restrictions.ts'
import { type ModuleOptions, moduleFiles } from '../workspace/module.ts'
import { resolveVariables } from '../workspace/variables.ts'

/** Which module is declared, and with what. */
export interface DeclareOptions extends ModuleOptions {
  readonly restrict?: ModuleRestrictions
  readonly variables: (call: RunCall) => Variables | Promise<Variables>
}

/**
 * Reads the files of the module and its variables. Its resources are known to the binary only, so none are listed; the
 * digest covers every file of the module and of the local modules it calls, the variables, and the workspace.
 */
export async function declareModule(
  kit: Kit,
  snapshot: Snapshot,
  options: DeclareOptions,
  call: RunCall,
): Promise<DesiredState> {
  const { root, files } = await moduleFiles(snapshot, options, call)
  if (options.restrict !== undefined) await checkModule({ root, files }, options.restrict, call)
  const variables = resolveVariables(await options.variables(call), call)
  const filesDigest = digestOf(files.map(({ path, digest }) => [path, digest]))
  const { seal } = await kit.store()
  // Keyed: a digest that is kept must not let anybody try out secrets.
  const given = seal.fingerprint({ ...variables.values })
  const payload: Module = { root, files, variables, filesDigest }
  const digest = digestOf({ root, files: filesDigest, given, workspace: kit.workspace })
  return { revision: snapshot.revision, digest, resources: [], payload }
}
