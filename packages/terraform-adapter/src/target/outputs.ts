import { type DesiredState, type Output, type Outputs, type RunCall, textsIn } from '@gitops-sdk/core'
import { type StateJson, parseState } from '../backend/state.ts'
import { failureOf } from '../cli/diagnostics.ts'
import { moduleOf } from '../observe/observe.ts'
import { asking, runCommand } from '../workspace/command.ts'
import type { Kit } from '../workspace/kit.ts'
import { prepare } from '../workspace/prepare.ts'
import { closeRun, openRun } from '../workspace/runs.ts'
import type { Site } from '../workspace/site.ts'

/** The outputs of the module, as the state holds them. Sensitive ones are marked, and their values shown nowhere. */
export async function readOutputs(kit: Kit, site: Site, desired: DesiredState, call: RunCall): Promise<Outputs> {
  const outputs = kit.backend.kind === 'managed' ? await ofState(site) : await ofBinary(kit, site, desired, call)
  const typed = Object.entries(outputs ?? {}).map(([name, { value, sensitive = false }]): [string, Output] => {
    if (sensitive) for (const secret of textsIn(value)) site.redactor.add(secret)
    return [name, { value, sensitive }]
  })
  return Object.fromEntries(typed)
}

async function ofState({ versions }: Site): Promise<StateJson['outputs']> {
  const head = await versions.head()
  return head && parseState(await versions.read(head), head.name).outputs
}

async function ofBinary(kit: Kit, site: Site, desired: DesiredState, call: RunCall): Promise<StateJson['outputs']> {
  const run = await openRun(site, call)
  try {
    const { folder } = await prepare(kit, site, await moduleOf(kit, site, desired), run.id, call)
    const end = await runCommand(kit, site, asking(run.id, folder, ['output', '-json']), call)
    if (end.exitCode !== 0) throw failureOf(`Reading the outputs of ${site.application}`, end, 'TARGET_INTERNAL')
    // The format is a promise of the binary.
    return JSON.parse(end.stdout) as StateJson['outputs']
  } finally {
    await closeRun(run)
  }
}
