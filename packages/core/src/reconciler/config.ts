import { GitOpsError } from '../runtime/errors.ts'
import type { Application } from './application.ts'
import { applicationSchema, reconcilerSchema } from './config-schema.ts'
import { type Problem, problemsBy, sentence } from './config-problem.ts'
import type { PolicyOptions, Window } from './policy/policy.ts'
import { resolvePolicy } from './policy/policy.ts'
import { checkSchedule } from './policy/windows.ts'

/** Problems that one error lists. */
const MAX_PROBLEMS = 10

/**
 * Throws `CONFIG_INVALID` unless `application` is one. The message names every option that is wrong
 * by its path, and what is allowed; `details.problems` has them one by one.
 */
export function validateApplication(application: unknown): asserts application is Application {
  const problems = problemsBy(applicationSchema, application)
  const name = nameOf(application)
  throwIfAny(
    problems,
    name === undefined
      ? 'An application is not configured correctly'
      : `The application ${name} is not configured correctly`,
  )
  const meaning = problemsOfMeaning(application as Application)
  throwIfAny(meaning, `The application ${name} is not configured correctly`)
}

/** Throws `CONFIG_INVALID` unless these are options of a reconciler. Its applications are validated one by one. */
export function validateReconcilerOptions(options: unknown): void {
  throwIfAny(problemsBy(reconcilerSchema, options), 'The reconciler is not configured correctly')
}

function throwIfAny(problems: readonly Problem[], what: string): void {
  if (problems.length === 0) return
  const shown = problems.slice(0, MAX_PROBLEMS).map(sentence)
  const rest = problems.length > MAX_PROBLEMS ? ` And ${problems.length - MAX_PROBLEMS} more.` : ''
  throw new GitOpsError('CONFIG_INVALID', `${what}: ${shown.join(' ')}${rest}`, { details: { problems } })
}

function nameOf(application: unknown): string | undefined {
  if (typeof application !== 'object' || application === null || !('name' in application)) return undefined
  return typeof application.name === 'string' ? application.name : undefined
}

/** What a schema cannot say. */
function problemsOfMeaning({ name, policy = {}, dependsOn = [] }: Application): readonly Problem[] {
  return [
    ...problemsOfName(name),
    ...(policy.windows ?? []).flatMap(problemsOfWindow),
    ...problemsOfPaths(policy),
    ...problemsOfRetry(policy),
    ...(dependsOn.includes(name) ? [{ path: 'dependsOn', problem: 'names the application itself.' }] : []),
  ]
}

function problemsOfName(name: string): readonly Problem[] {
  // A name ends up in objects by name, in file names and in log lines.
  if (['__proto__', 'constructor', 'prototype'].includes(name))
    return [{ path: 'name', problem: `must not be ${name}.` }]
  return /\p{Cc}/u.test(name) ? [{ path: 'name', problem: 'must not contain control characters.' }] : []
}

function problemsOfWindow(window: Window, index: number): readonly Problem[] {
  const path = `policy.windows[${index}]`
  try {
    checkSchedule({ cron: window.cron })
  } catch (error) {
    const problem = `${JSON.stringify(window.cron)} is not a schedule (${reasonOf(error)}). Write five cron fields such as "0 9 * * mon-fri".`
    return [{ path: `${path}.cron`, problem }]
  }
  try {
    checkSchedule(window)
    return []
  } catch {
    const problem = `${JSON.stringify(window.timeZone)} is not a time zone. Write an IANA name such as "Europe/Berlin".`
    return [{ path: `${path}.timeZone`, problem }]
  }
}

function problemsOfPaths({ ignore = [] }: PolicyOptions): readonly Problem[] {
  return ignore.flatMap(({ paths = [] }, rule) =>
    paths.flatMap((pointer, index) =>
      isPointer(pointer)
        ? []
        : [
            {
              path: `policy.ignore[${rule}].paths[${index}]`,
              problem: `${JSON.stringify(pointer)} is not a JSON Pointer. Write it as "/spec/replicas".`,
            },
          ],
    ),
  )
}

function isPointer(pointer: string): boolean {
  return pointer === '' || (pointer.startsWith('/') && !/~(?![01])/.test(pointer))
}

function problemsOfRetry(options: PolicyOptions): readonly Problem[] {
  const { baseMs, maxMs } = resolvePolicy(options).retry
  if (baseMs <= maxMs) return []
  return [{ path: 'policy.retry.baseMs', problem: `must not be larger than maxMs (${maxMs}).` }]
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
}
