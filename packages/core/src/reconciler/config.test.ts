import { describe, expect, test } from 'vitest'
import { GitOpsError } from '../runtime/errors.ts'
import { memoryLedger } from '../ledger/memory.ts'
import { memorySource } from '../source/memory.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import { validateApplication, validateReconcilerOptions } from './config.ts'
import { defaultPolicy } from './policy/policy.ts'

const application = { name: 'shop', source: memorySource({}), target: memoryTarget() }

function messageOf(run: () => void): string {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(GitOpsError)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', retryable: false })
    return error instanceof Error ? error.message : ''
  }
  return ''
}

const ofApplication = (parts: object): string => messageOf(() => validateApplication({ ...application, ...parts }))
const ofPolicy = (policy: unknown): string => ofApplication({ policy })

describe('what is right passes', () => {
  test.each<[string, object]>([
    ['the least', {}],
    ['every default written out', { policy: defaultPolicy }],
    ['all of the rest', { dependsOn: ['queue'], labels: { team: 'a' }, ready: () => true }],
    ['members left undefined', { policy: { prune: undefined } }],
    ['zero intervals', { policy: { intervalMs: 0, driftIntervalMs: 0 } }],
    [
      'a guard, a window, an ignore rule',
      {
        policy: {
          guards: [() => 'allow'],
          windows: [{ kind: 'allow', cron: '0 9 * * mon-fri', durationMs: 1, timeZone: 'Europe/Berlin' }],
          ignore: [{ kind: 'flag', paths: ['', '/a~1b/*'] }],
          protect: { kinds: ['Namespace'], resources: [{ kind: 'flag', name: 'a' }] },
        },
      },
    ],
    ['a name of any language', { name: '店 / 1' }],
  ])('%s', (_reason, parts) => {
    expect(ofApplication(parts)).toBe('')
  })
})

describe('a mistake names the option and what is allowed', () => {
  test.each<[unknown, string]>([
    [{ mode: 'auto' }, 'policy.mode must be "observe" or "approve" or "automatic", not "auto".'],
    [{ prune: 'yes' }, 'policy.prune must be true or false, not "yes".'],
    [{ selfHeal: 'heal' }, 'policy.selfHeal must be true or false or "adopt", not "heal".'],
    [{ selfheal: true }, 'policy.selfheal is not an option. Did you mean selfHeal?'],
    [{ maxDeletion: 1 }, 'policy.maxDeletion is not an option. Did you mean maxDeletions?'],
    [{ retry: { base: 1 } }, 'policy.retry.base is not an option. Allowed: baseMs, factor, maxMs, jitter, limit.'],
    [{ maxChanges: -1 }, 'policy.maxChanges must be a whole number of at least 0, not -1.'],
    [{ maxChanges: 1.5 }, 'policy.maxChanges must be a whole number of at least 0, not 1.5.'],
    [{ jitter: 2 }, 'policy.jitter must be a number from 0 to 1, not 2.'],
    [{ intervalMs: '2m' }, 'policy.intervalMs must be a number from 0 to 3162240000000, not "2m".'],
    [{ intervalMs: NaN }, 'policy.intervalMs must be a number from 0 to 3162240000000, not NaN.'],
    [{ intervalMs: Infinity }, 'policy.intervalMs must be a number from 0 to 3162240000000, not Infinity.'],
    [
      { healthTimeoutMs: 0 },
      'policy.healthTimeoutMs must be a number of more than 0 and at most 3162240000000, not 0.',
    ],
    [{ retry: { baseMs: 10, maxMs: 5 } }, 'policy.retry.baseMs must not be larger than maxMs (5).'],
    [{ guards: ['deny'] }, 'policy.guards[0] must be a function, not "deny".'],
    [{ windows: {} }, 'policy.windows must be a list, not this object.'],
    [{ windows: [{ kind: 'allow', cron: '0 9 * * *' }] }, 'policy.windows[0].durationMs is missing.'],
    [
      { windows: [{ kind: 'allow', cron: '0 25 * * *', durationMs: 1 }] },
      'policy.windows[0].cron "0 25 * * *" is not a schedule (CronPattern: Invalid value for hour: 25). Write five cron fields such as "0 9 * * mon-fri".',
    ],
    [
      { windows: [{ kind: 'allow', cron: '@daily', durationMs: 1 }] },
      'policy.windows[0].cron "@daily" is not a schedule (five fields are required: minute, hour, day of month, month, day of week). Write five cron fields such as "0 9 * * mon-fri".',
    ],
    [
      { windows: [{ kind: 'allow', cron: '0 9 * * *', durationMs: 1, timeZone: 'CEST?' }] },
      'policy.windows[0].timeZone "CEST?" is not a time zone. Write an IANA name such as "Europe/Berlin".',
    ],
    [
      { ignore: [{ paths: ['spec.replicas'] }] },
      'policy.ignore[0].paths[0] "spec.replicas" is not a JSON Pointer. Write it as "/spec/replicas".',
    ],
    [{ ignore: [{}] }, 'policy.ignore[0] must be an object with at least one member, not this object.'],
    [{ protect: { resources: [{ kind: 'flag' }] } }, 'policy.protect.resources[0].name is missing.'],
    ['automatic', 'policy must be an object, not "automatic".'],
  ])('policy %j', (policy, problem) => {
    expect(ofPolicy(policy)).toBe(`The application shop is not configured correctly: ${problem}`)
  })

  test.each<[object, string]>([
    [{ name: '' }, 'name must be text of 1 to 253 characters, not "".'],
    [{ name: 'a\nb' }, 'name must not contain control characters.'],
    [{ name: '__proto__' }, 'name must not be __proto__.'],
    [{ source: undefined }, 'source is missing.'],
    [{ source: { id: 'x' } }, 'source.resolve is missing. source.snapshot is missing.'],
    [{ target: { ...memoryTarget(), contract: 2 } }, 'target.contract must be 1, not 2.'],
    [{ dependsOn: ['a', 'a'] }, 'dependsOn must be a list without duplicates, not this list.'],
    [{ dependsOn: ['shop'] }, 'dependsOn names the application itself.'],
    [{ labels: { team: 7 } }, 'labels.team must be text, not 7.'],
    [{ dependson: [] }, 'dependson is not an option. Did you mean dependsOn?'],
  ])('%j', (parts, problem) => {
    expect(ofApplication(parts)).toContain(problem)
  })

  test.each([undefined, null, 'shop', 7, []])('%j is no application', (given) => {
    expect(messageOf(() => validateApplication(given))).toContain('An application is not configured correctly')
  })

  test('every problem is listed, and each is there for a program', () => {
    const run = (): void => validateApplication({ ...application, policy: { mode: 'x', prune: 1 } })
    expect(messageOf(run)).toContain('policy.prune must be')
    expect(run).toThrow(
      expect.objectContaining({
        details: {
          problems: [
            expect.objectContaining({ path: 'policy.mode' }),
            expect.objectContaining({ path: 'policy.prune' }),
          ],
        },
      }),
    )
  })

  test('a value that may be a secret is not repeated', () => {
    expect(ofPolicy({ prune: { token: 'hunter2' } })).not.toContain('hunter2')
    expect(ofPolicy({ mode: `hunter2${'x'.repeat(100)}` })).not.toContain('hunter2')
  })
})

describe('the options of a reconciler', () => {
  test.each<[object, string]>([
    [{}, ''],
    [{ ledger: memoryLedger(), concurrency: 4, log: console }, ''],
    [{ concurrency: 0 }, 'concurrency must be a whole number of at least 1, not 0.'],
    [{ tenantConcurrency: 1.5 }, 'tenantConcurrency must be a whole number of at least 1, not 1.5.'],
    [{ concurency: 1 }, 'concurency is not an option. Did you mean concurrency?'],
    [{ ledger: {} }, 'ledger.read is missing.'],
    [{ ledger: './state' }, 'ledger must be an object, not "./state".'],
    [{ applications: {} }, 'applications must be a list, not this object.'],
  ])('%j', (options, problem) => {
    const message = messageOf(() => validateReconcilerOptions(options))
    if (problem === '') expect(message).toBe('')
    else expect(message).toContain(`The reconciler is not configured correctly: ${problem}`)
  })
})
