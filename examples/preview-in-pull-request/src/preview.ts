import { type Application, type Ledger, type Plan, createReconciler, describe } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'

/** Where the comments of a pull request are kept: three lines over the API of any Git host. */
export interface PullRequest {
  /** The branch or commit that is proposed. */
  readonly head: string
  /** Writes the comment that carries this marker, or replaces it. */
  comment(marker: string, markdown: string): Promise<void>
}

// #region preview
/** Shows what merging the pull request would do. Writes nothing but the comment. */
export async function preview(app: Previewed, pullRequest: PullRequest, ledger: Ledger): Promise<Plan> {
  await using source = gitSource({ url: app.repository, ref: pullRequest.head, path: app.path })
  // The same name and ledger as the running platform, so that the plan knows what is owned and what was applied.
  const onlooker = createReconciler({ ledger, applications: [{ ...app.application, source }] })
  const plan = await onlooker.plan(app.application.name)
  const text = `${describe(plan, { format: 'markdown' })}\n\nAfter the merge: \`/approve ${plan.fingerprint}\`\n`
  await pullRequest.comment(`gitops:${plan.application}`, text)
  return plan
}
// #endregion preview

/** An application and where its proposals come from. */
export interface Previewed {
  readonly repository: string
  readonly path: string
  readonly application: Omit<Application, 'source'>
}

// #region approve
/** The fingerprint that a comment approves, if it does. Whether its author may is for the platform to say. */
export function approvedBy(comment: string): string | undefined {
  return /^\/approve\s+(\S+)\s*$/m.exec(comment)?.[1]
}
// #endregion approve
