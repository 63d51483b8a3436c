import { GitOpsError, refKey, type Resolution, type RunCall } from '@gitops-sdk/core'
import { failureOf } from '../cli/diagnostics.ts'
import { addressOf } from './address.ts'
import { lastApplied } from './bundle.ts'
import { runCommand } from './command.ts'
import type { Kit } from './kit.ts'
import { settleLeftovers } from './leftovers.ts'
import { prepare, withVariables } from './prepare.ts'
import { closeRun, leftRuns, openRun } from './runs.ts'
import type { Site } from './site.ts'

/**
 * A person looked at what interrupted runs may have made: what exists and whose id is known is imported into the state, and the
 * runs are forgotten.
 */
export async function resolveRuns(
  kit: Kit,
  site: Site,
  resolutions: readonly Resolution[],
  call: RunCall,
): Promise<void> {
  const { suspects } = await settleLeftovers(kit, site, call)
  const known = new Map(suspects.map(({ ref, id }) => [refKey(ref), id]))
  for (const { ref, how, id = known.get(refKey(ref)) } of resolutions)
    if (how === 'imported' && id !== undefined) await importOne(kit, site, addressOf(ref), id, call)
  for (const { run } of (await leftRuns(site)).journaled) await closeRun(run)
}

async function importOne(kit: Kit, site: Site, address: string, id: string, call: RunCall): Promise<void> {
  const module = await lastApplied(kit, site)
  if (module === undefined) {
    const message = `The module of ${site.application} is not kept, so ${address} cannot be imported. Import it by hand.`
    throw new GitOpsError('UNSUPPORTED', message)
  }
  const run = await openRun(site, call)
  try {
    const { folder } = await prepare(kit, site, module, run.id, call)
    // Whatever comes from outside stands behind the mark that ends the options.
    const args = ['import', '-input=false', '-no-color', '--', address, id]
    const job = { args, folder, run: run.id, access: 'write' as const, streams: { folder: run.folder } }
    const end = await withVariables(folder, module, () => runCommand(kit, site, job, call))
    if (end.exitCode !== 0) throw site.redactor.error(failureOf(`Importing ${address}`, end, 'APPLY_FAILED'))
  } finally {
    await closeRun(run)
  }
}
