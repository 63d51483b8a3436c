import { type MemoryFiles, type RunResult, createReconciler, memoryLedger, memorySource } from '@gitops-sdk/core'
import { memoryTarget } from '@gitops-sdk/core/testing'
import { kubernetesObjects } from './generate.ts'

/** Applications on memory targets, so that what is measured is the engine. */
export interface Platform extends AsyncDisposable {
  /** Runs every application once, all of them at the same time. */
  readonly reconcile: () => Promise<readonly RunResult[]>
  /** Commits a change of one file of every application, another one each time. */
  commit(): void
  /** From now on each is looked at again and again, as in a platform that runs. */
  start(): void
  /** Writes of all targets so far. */
  writes(): number
}

/** Platforms of `applications`, each with `resources` of realistic shape. Nothing is applied yet. */
export function createPlatform({ applications, resources }: { applications: number; resources: number }): Platform {
  const names = Array.from({ length: applications }, (_, index) => `app-${index}`)
  const targets = names.map((name) => memoryTarget({ id: name }))
  const sources = names.map((_, index) => memorySource({ files: filesOf(resources, index) }))
  let commits = 0
  const reconciler = createReconciler({
    applications: names.map((name, index) => ({
      name,
      source: sources[index]!,
      target: targets[index]!,
    })),
    ledger: memoryLedger({ installKey: new Uint8Array(32) }),
  })
  return {
    reconcile: () => Promise.all(names.map((name) => reconciler.reconcile(name))),
    commit: () => {
      commits++
      for (const source of sources) source.commit(changedFile(resources, commits))
    },
    start: () => reconciler.start(),
    writes: () => targets.reduce((sum, { counts }) => sum + counts.write, 0),
    [Symbol.asyncDispose]: () => reconciler.stop(),
  }
}

/** One file for each resource, as the memory target reads them. */
export function filesOf(resources: number, seed: number): Readonly<Record<string, string>> {
  const objects = [...kubernetesObjects(resources, seed)]
  return Object.fromEntries(objects.map(({ kind, name, body }) => [pathOf(kind, name), JSON.stringify(body)]))
}

/** A configuration of `filesOf` with another value; they take turns. Every seventh object is one, from the fourth on. */
function changedFile(resources: number, turn: number): MemoryFiles {
  const name = `app-${3 + 7 * (turn % Math.floor(resources / 7))}`
  return { [pathOf('ConfigMap', name)]: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { turn } } }
}

function pathOf(kind: string, name: string): string {
  return `${kind}/${name}.json`
}
