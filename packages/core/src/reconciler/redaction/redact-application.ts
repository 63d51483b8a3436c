import type { ActualState } from '../../actual/actual.ts'
import type { Outcome } from '../../apply/outcome.ts'
import type { DesiredState } from '../../desired/desired.ts'
import type { Health } from '../../feedback/health.ts'
import type { FieldChange, Plan } from '../../plan/plan.ts'
import type { Call } from '../../runtime/call.ts'
import { toGitOpsError } from '../../runtime/errors.ts'
import type { Redactor } from '../../runtime/redactor.ts'
import type { Snapshot, Source } from '../../source/source.ts'
import type { Target } from '../../target/target.ts'
import type { Application } from '../application.ts'

/**
 * An application whose source and target cannot let a known secret out: everything they say (errors,
 * warnings, field values, health, logs) passes the redactor before the engine hears it. So no event,
 * history, audit or log holds one, whatever another system quotes in its answer.
 *
 * Identities, refs and what is written to the target are left as they are.
 */
export function redactApplication<A extends Application>(application: A, redactor: Redactor): A {
  return {
    ...application,
    source: redactSource(application.source, redactor),
    target: redactTarget(application.target, redactor),
  }
}

function redactSource(source: Source, redactor: Redactor): Source {
  const ask = asking(redactor)
  return {
    id: source.id,
    resolve: (call) => ask('Asking the source', call, (own) => source.resolve(own)),
    snapshot: (revision, call) =>
      ask('Opening a revision', call, async (own) => redactSnapshot(await source.snapshot(revision, own), redactor)),
    // What a port lacks must stay absent: the engine asks by looking.
    ...(source.watch && {
      watch: (call) => passing(redactor, 'Watching the source', source.watch!(quiet(call, redactor))),
    }),
    ...(source.writer && { writer: source.writer }),
    ...(source[Symbol.asyncDispose] && { [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]!() }),
  }
}

function redactSnapshot(snapshot: Snapshot, redactor: Redactor): Snapshot {
  const ask = asking(redactor)
  return {
    revision: snapshot.revision,
    digest: (path, call) => ask('Reading a digest', call, (own) => snapshot.digest(path, own)),
    list: (path, call) => passing(redactor, 'Listing a folder', snapshot.list(path, quiet(call, redactor))),
    read: (path, call) => ask('Reading a file', call, (own) => snapshot.read(path, own)),
  }
}

function redactTarget(target: Target, redactor: Redactor): Target {
  const ask = asking(redactor)
  return {
    kind: target.kind,
    id: target.id,
    contract: target.contract,
    supports: target.supports,
    declare: (snapshot, call) =>
      ask('Declaring', call, async (own) => cleanDesired(await target.declare(snapshot, own), redactor)),
    observe: (desired, owned, call) =>
      ask('Observing', call, async (own) => cleanActual(await target.observe(desired, owned, own), redactor)),
    plan: (desired, actual, request, call) =>
      ask('Planning', call, async (own) => cleanPlan(await target.plan(desired, actual, request, own), redactor)),
    apply: (plan, desired, call) =>
      passing(redactor, 'Applying', target.apply(plan, desired, quiet(call, redactor)), cleanOutcome(redactor)),
    assess: (desired, actual, call) =>
      ask('Assessing', call, async (own) => cleanHealth(await target.assess(desired, actual, own), redactor)),
    ...(target.watch && {
      watch: (desired, owned, call) =>
        passing(redactor, 'Watching the target', target.watch!(desired, owned, quiet(call, redactor))),
    }),
    ...(target.recover && {
      recover: (entry, call) =>
        ask('Recovering', call, async (own) => redactor.value(await target.recover!(entry, own))),
    }),
    ...(target.resolveSuspects && {
      resolveSuspects: (resolutions, call) =>
        ask('Resolving suspects', call, (own) => target.resolveSuspects!(resolutions, own)),
    }),
    ...(target.outputs && {
      outputs: (desired, call) => ask('Reading outputs', call, (own) => target.outputs!(desired, own)),
    }),
    ...(target[Symbol.asyncDispose] && { [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]!() }),
  }
}

/** The same call with a log that holds no secret. */
function quiet<C extends Call>(call: C, redactor: Redactor): C {
  return { ...call, log: redactor.logger(call.log) }
}

type Ask = <C extends Call, T>(activity: string, call: C, work: (call: C) => Promise<T>) => Promise<T>

function asking(redactor: Redactor): Ask {
  return async (activity, call, work) => {
    try {
      return await work(quiet(call, redactor))
    } catch (error) {
      throw redactor.error(toGitOpsError(error, activity))
    }
  }
}

async function* passing<T>(
  redactor: Redactor,
  activity: string,
  items: AsyncIterable<T>,
  clean: (item: T) => T = (item) => item,
): AsyncGenerator<T, void> {
  try {
    for await (const item of items) yield clean(item)
  } catch (error) {
    throw redactor.error(toGitOpsError(error, activity))
  }
}

function cleanDesired(desired: DesiredState, redactor: Redactor): DesiredState {
  return desired.warnings === undefined ? desired : { ...desired, warnings: redactor.value(desired.warnings) }
}

function cleanActual(actual: ActualState, redactor: Redactor): ActualState {
  const unknown = new Map([...actual.unknown].map(([key, error]) => [key, redactor.error(error)]))
  return { ...actual, unknown }
}

function cleanPlan(plan: Plan, redactor: Redactor): Plan {
  const values = (fields: readonly FieldChange[]): readonly FieldChange[] => redactor.value(fields)
  return {
    ...plan,
    changes: plan.changes.map((change) => ({ ...change, fields: values(change.fields) })),
    drift: plan.drift.map((drift) => ({ ...drift, fields: values(drift.fields) })),
    blocked: plan.blocked.map((blocked) => ({ ...blocked, message: redactor.text(blocked.message) })),
    warnings: redactor.value(plan.warnings),
  }
}

function cleanOutcome(redactor: Redactor): (outcome: Outcome) => Outcome {
  return (outcome) => ({
    ...outcome,
    ...(outcome.error && { error: redactor.error(outcome.error) }),
    ...(outcome.warnings && { warnings: redactor.value(outcome.warnings) }),
  })
}

function cleanHealth(health: Health, redactor: Redactor): Health {
  const resources = new Map(
    [...health.resources].map(([key, one]) => [key, { ...one, message: redactor.text(one.message) }]),
  )
  return { ...health, message: redactor.text(health.message), resources }
}
