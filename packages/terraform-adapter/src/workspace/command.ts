import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunCall, Secret } from '@gitops-sdk/core'
import { releaseIfDead } from '../backend/lease.ts'
import type { StateGrant } from '../backend/managed.ts'
import { emptyState } from '../backend/state.ts'
import type { Command, CommandEnd } from '../cli/cli.ts'
import { environmentOf } from '../cli/environment.ts'
import type { Kit } from './kit.ts'
import type { Site } from './site.ts'

/** A command of the binary for one application. */
export interface Job extends Pick<Command, 'args' | 'folder' | 'streams' | 'onLine' | 'onStarted'> {
  /** What only this command sees. */
  readonly environment?: Readonly<Record<string, string>>
  /** The id of the run it belongs to. */
  readonly run: string
  /** What it may do with the state. */
  readonly access: 'read' | 'write'
}

/** A command whose answer this process reads: it never lies on a disk. */
export function asking(run: string, folder: string, args: readonly string[], access: Job['access'] = 'read'): Job {
  return { args, folder, run, access, streams: 'memory' }
}

/** Runs a command with the environment, the configuration and the right to the state that it needs, and nothing else. */
export async function runCommand(kit: Kit, site: Site, job: Job, call: RunCall): Promise<CommandEnd> {
  const surroundings = await surround(kit, site, call)
  const grant = await grantFor(kit, site, job, call)
  try {
    return await kit.cli.run(
      {
        ...job,
        environment: { ...surroundings, ...grant?.environment, ...job.environment },
        graceMs: kit.graceMs,
        onStarted: async (process) => {
          await grant?.usedBy(process)
          await job.onStarted?.(process)
        },
      },
      call,
    )
  } finally {
    grant?.revoke()
    if (grant !== undefined) await releaseIfDead(site.leases)
  }
}

async function grantFor(
  { backend, server }: Kit,
  { versions, leases }: Site,
  { run, access }: Job,
  { random }: RunCall,
): Promise<StateGrant | undefined> {
  if (backend.kind !== 'managed') return undefined
  // Before the first plan, so that even the first apply is pinned to a lineage that is known.
  if ((await versions.head()) === undefined) await versions.write(emptyState(random))
  return server.grant({ run, mode: access, versions, leases })
}

async function surround(kit: Kit, { folder, redactor }: Site, call: RunCall): Promise<Record<string, string>> {
  const home = join(folder, 'home')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const config = join(home, 'config.tfrc')
  await writeFile(config, configOf(kit), { mode: 0o600 })
  const given = await kit.environment(call)
  for (const value of Object.values(given)) if (value instanceof Secret) redactor.add(value)
  const workspace = kit.backend.kind === 'managed' ? 'default' : kit.workspace
  return environmentOf({ home, config, workspace, given })
}

/** The configuration file of the binary: ours alone, so that nothing of the machine decides where providers come from. */
function configOf({ providerMirror, providerCache, providerOverrides }: Kit): string {
  const cache = providerCache === undefined ? '' : `plugin_cache_dir = ${JSON.stringify(providerCache)}\n`
  if (providerMirror === undefined && providerOverrides === undefined) return cache
  const overrides = Object.entries(providerOverrides ?? {}).map(
    ([address, path]) => `    ${JSON.stringify(address)} = ${JSON.stringify(path)}\n`,
  )
  const developed = providerOverrides === undefined ? '' : `  dev_overrides {\n${overrides.join('')}  }\n`
  const rest =
    providerMirror === undefined
      ? '  direct {}\n'
      : `  filesystem_mirror {\n    path = ${JSON.stringify(providerMirror)}\n  }\n`
  return `${cache}provider_installation {\n${developed}${rest}}\n`
}
