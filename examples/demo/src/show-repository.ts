import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { GitOpsError, type Source, createReconciler, describe } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { directorySource } from '@gitops-sdk/core/node'
import { documentTarget } from './document-target.ts'
import { chapter, colour, say } from './say.ts'

/** Shows what a repository of the reader's declares, as the plan for an empty target. Writes nothing. Returns the exit code. */
export async function showRepository(repo: string, path: string, ref: string | undefined): Promise<number> {
  try {
    await using reconciler = createReconciler({
      applications: [
        { name: 'yours', source: sourceOf(repo, path, ref), target: documentTarget(), policy: { mode: 'observe' } },
      ],
    })
    chapter(`${repo} ${path}`)
    const started = performance.now()
    const plan = await reconciler.plan('yours')
    say(
      `${plan.changes.length} resources declared, read in ${Math.round(performance.now() - started)} ms. For an empty target:`,
    )
    say(describe(plan, { colour }))
    say('Observe mode: nothing was written.')
    return 0
  } catch (error) {
    if (!(error instanceof GitOpsError)) throw error
    console.error(`${error.code}: ${error.message}`)
    return 1
  }
}

function sourceOf(repo: string, path: string, ref: string | undefined): Source {
  if (existsSync(repo)) return directorySource({ path: resolve(repo, path) })
  return gitSource({ url: repo, path, ...(ref !== undefined && { ref }) })
}
