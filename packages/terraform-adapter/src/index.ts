export type { ChangeJson, PlanJson, ResourceChangeJson } from './plan/plan-json.ts'
export { type Verdict, verdictOf } from './plan/verdict.ts'
