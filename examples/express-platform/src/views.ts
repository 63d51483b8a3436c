import { type ApplicationState, type Explanation, type Plan, type Reconciler, type RunRecord } from '@gitops-sdk/core'

/** One application in the list. */
export interface Overview {
  readonly name: string
  readonly alignment: ApplicationState['alignment']
  readonly health: ApplicationState['health']
  readonly explanation: Explanation
}

/** Everything the page shows of one application. */
export interface Details extends Overview {
  readonly state: ApplicationState
  readonly plan: Plan
  readonly history: readonly RunRecord[]
}

export function overviewOf(reconciler: Reconciler): readonly Overview[] {
  return reconciler.list().map(({ application }) => viewOf(reconciler, application))
}

export async function detailsOf(reconciler: Reconciler, name: string): Promise<Details> {
  const history: RunRecord[] = []
  const plan = await reconciler.plan(name)
  for await (const run of reconciler.history({ application: name, limit: 20 })) history.push(run)
  return { ...viewOf(reconciler, name), state: reconciler.status(name), plan, history }
}

function viewOf(reconciler: Reconciler, name: string): Overview {
  const { alignment, health } = reconciler.status(name)
  return { name, alignment, health, explanation: reconciler.explain(name) }
}
