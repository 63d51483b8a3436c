export type { Json, JsonObject } from './runtime/json.ts'
export { type Clock, type Timer, isoTime, systemClock } from './runtime/clock.ts'
export { type Random, randomId, seededRandom, systemRandom } from './runtime/random.ts'
export { type LogFields, type Logger, silentLog } from './runtime/log.ts'
export { type AddressClass, classifyAddress } from './runtime/destination/address.ts'
export {
  type DestinationGuard,
  type DestinationOptions,
  type GuardedLookup,
  type LookupAll,
  type ResolvedAddress,
  destinationGuard,
} from './runtime/destination/guard.ts'
export { type Redactor, createRedactor } from './runtime/redactor.ts'
export { Secret, environmentSecret } from './runtime/secret.ts'
export {
  type ErrorCode,
  type ErrorDetails,
  type ErrorMeaning,
  type ErrorRecord,
  GitOpsError,
  errorCodes,
  toGitOpsError,
} from './runtime/errors.ts'
export {
  type Call,
  type Fence,
  type Inputs,
  type Output,
  type Outputs,
  type Progress,
  type RunCall,
  abortError,
  createCall,
  sleep,
  throwIfAborted,
  withDeadline,
} from './runtime/call.ts'
export { OutputReference, outputOf, resolveOutput } from './runtime/output-reference.ts'
export { type ResolvedVariable, type Variable, type Variables, resolveVariable, textsIn } from './runtime/variable.ts'
export type { Revision, Snapshot, Source, SourceEdit, SourceWriter, TreeEntry } from './source/source.ts'
export { type PathChange, difference } from './source/difference.ts'
export { walk } from './source/walk.ts'
export {
  type MemoryCommit,
  type MemoryFiles,
  type MemorySource,
  type MemorySourceOptions,
  memorySource,
} from './source/memory.ts'
export type {
  DesiredState,
  HookOptions,
  Order,
  Origin,
  Phase,
  Resource,
  ResourceOptions,
  ResourceRef,
} from './desired/desired.ts'
export { compareRefs, label, refKey } from './desired/ref.ts'
export { canonicalJson, digestOf } from './desired/digest.ts'
export { type FileReader, type ReadFile, fileReader } from './desired/file-reader.ts'
export type { PatchOperation } from './desired/patch.ts'
export type { RenderFolder, Rendered, RenderedDocument, Renderer } from './desired/renderer.ts'
export { type DesiredStateExtras, desiredState, originText, resource } from './desired/build.ts'
export type { ActualChange, ActualResource, ActualState, Actor } from './actual/actual.ts'
export type { Inventory, Owned } from './actual/inventory.ts'
export { type Observation, actualState } from './actual/build.ts'
export { type Read, observeEach, refsOf } from './actual/observe-each.ts'
export type {
  Action,
  ArtifactRef,
  Blocked,
  Cause,
  Change,
  Drift,
  DriftKind,
  FieldChange,
  FieldValue,
  IgnoreRule,
  Ignored,
  Plan,
  PlanMode,
  PlanRequest,
  Redacted,
  Seal,
  Step,
} from './plan/plan.ts'
export { type DiffOptions, type JsonDifference, diffJson, sameJson } from './plan/diff.ts'
export { createSeal } from './plan/seal.ts'
export { planByDiff } from './plan/by-diff.ts'
export type { PlanByDiffOptions } from './plan/comparison.ts'
export { type DescribeOptions, describe } from './plan/describe.ts'
export { toJsonPatch } from './plan/json-patch.ts'
export { ruleText, ruleThatIgnores } from './plan/ignore.ts'
export { keepIgnored } from './plan/keep-ignored.ts'
export { fingerprintOf } from './plan/fingerprint.ts'
export { sameStep, stepText, stepsOf } from './plan/steps.ts'
export type {
  Approval,
  AuditEntry,
  AuditQuery,
  AuditRecord,
  HistoryQuery,
  Hold,
  JournalEntry,
  Ledger,
  LedgerChange,
  LedgerRecord,
  RunRecord,
  StoredState,
  Suspension,
} from './ledger/ledger.ts'
export { type AuditHead, type AuditVerdict, chainAudit, emptyAudit, verifyAudit } from './ledger/audit.ts'
export { applyChange, emptyRecord } from './ledger/change.ts'
export {
  type ExportLine,
  type HistorySummary,
  durationOf,
  exportAudit,
  exportHistory,
  exportLedger,
  summarizeHistory,
} from './ledger/history.ts'
export { type MemoryLedgerOptions, memoryLedger } from './ledger/memory.ts'
export {
  type Again,
  type Claim,
  type ClaimRequest,
  type Completion,
  type Extended,
  type Held,
  type ItemQuery,
  type Priority,
  type Queue,
  type QueueItem,
  type Release,
  type Wake,
  quarantineAfter,
} from './queue/queue.ts'
export { type MemoryQueue, type MemoryQueueOptions, fencedClaim, memoryQueue } from './queue/memory.ts'
export { type WakeGroups, groupWakes, poolOf } from './queue/wakes.ts'
export type { Outcome } from './apply/outcome.ts'
export { type ApplyEachOptions, type Write, type Written, applyEach } from './apply/each.ts'
export type { Health, HealthStatus, ResourceHealth } from './feedback/health.ts'
export type {
  Activity,
  ApplicationEvent,
  Blocker,
  DriftEnd,
  EventBodies,
  EventBody,
  EventOf,
  EventStamp,
  EventType,
  FinishedOutcome,
  PlanDifference,
  PlannedChange,
  Reason,
  Remembered,
  Timing,
} from './feedback/events.ts'
export type { Listener } from './feedback/emitter.ts'
export { describeEvent } from './feedback/describe-event.ts'
export { type Explanation, explain } from './feedback/explain.ts'
export type { Situation } from './feedback/situation.ts'
export {
  type Alignment,
  type ApplicationState,
  type PlanSummary,
  type RunPhase,
  initialState,
  reduce,
} from './feedback/state.ts'
export { rollUpHealth, worseHealth } from './feedback/health-roll-up.ts'
export { type Judge, assessEach } from './feedback/assess-each.ts'
export {
  type Recovery,
  type Resolution,
  type Suspect,
  type Target,
  type TargetSupports,
  perResource,
} from './target/target.ts'
export {
  type Guard,
  type GuardAnswer,
  type GuardContext,
  type Policy,
  type PolicyMode,
  type PolicyOptions,
  type Protection,
  type RetryPolicy,
  type Window,
  defaultPolicy,
  resolvePolicy,
} from './reconciler/policy/policy.ts'
export { type Application, defineApplication } from './reconciler/application.ts'
export { type Decision, type JudgeContext, judge } from './reconciler/policy/judge.ts'
export { diffPlans } from './reconciler/policy/diff-plans.ts'
export { type WindowState, judgeWindows } from './reconciler/policy/windows.ts'
export type { Notifier } from './feedback/notifier.ts'
export { type Reconciler, createReconciler } from './reconciler/reconciler.ts'
export type { ReconcilerOptions } from './reconciler/options.ts'
export type { RunOptions, RunResult } from './reconciler/run-result.ts'
export type { ApproveRequest, ResolveRequest, SuspendRequest } from './reconciler/decisions.ts'
export type { RollbackRequest, RollbackResult } from './reconciler/rollback.ts'
export type { WaitRequest } from './reconciler/wait-for.ts'
export { redactApplication } from './reconciler/redaction/redact-application.ts'
export { restrict } from './reconciler/tenancy/restrict.ts'
export type { BrokenRule, Restrictions } from './reconciler/tenancy/rules.ts'
export {
  type WebhookHandler,
  type WebhookLimits,
  type WebhookOptions,
  createWebhookHandler,
  webhookLimits,
} from './reconciler/webhook/handler.ts'
export {
  type GenericWebhookOptions,
  type WebhookProvider,
  type WebhookProviderOptions,
  type WebhookSecret,
  bitbucketWebhook,
  genericWebhook,
  giteaWebhook,
  githubWebhook,
  gitlabWebhook,
} from './reconciler/webhook/provider.ts'
