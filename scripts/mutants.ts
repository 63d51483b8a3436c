// npx -y pnpm@12 test:mutants [--only name]
// Tests of the tests: each mutant breaks one promise of the engine on purpose, and some test has to notice.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

interface Mutant {
  readonly name: string
  /** Number of the invariant in the design that it breaks. */
  readonly invariant: number
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The tests that should notice. */
  readonly tests: readonly string[]
}

const core = 'packages/core/src'
const simulation = `${core}/testing/simulate/simulate.test.ts`
const loop = `${core}/reconciler/reconciler.test.ts`
const planning = `${core}/plan/by-diff.property.test.ts`

const mutants: readonly Mutant[] = [
  {
    name: 'a failed run is never tried again',
    invariant: 1,
    file: `${core}/reconciler/work.ts`,
    find: "queue.add(member.name, { trigger: 'retry', delayMs })",
    replace: '',
    tests: [loop],
  },
  {
    name: 'an application is worked on twice at a time',
    invariant: 2,
    file: `${core}/reconciler/queue.ts`,
    find: 'if (!running || working.has(key)) return',
    replace: 'if (!running) return',
    tests: [loop],
  },
  {
    name: 'a newer revision does not end an older run',
    invariant: 2,
    file: `${core}/reconciler/polling.ts`,
    find: 'await supersede(engine, member, revision)',
    replace: '',
    tests: [loop],
  },
  {
    name: 'what is there and not declared is deleted',
    invariant: 3,
    file: `${core}/plan/judge-owned.ts`,
    find: 'if (isClaimedByAnother(found, comparison)) return',
    replace: 'if (false) return',
    tests: [planning],
  },
  {
    name: 'the identity of what is deleted is not looked at',
    invariant: 3,
    file: `${core}/plan/judge-owned.ts`,
    find: 'if (isAnother(found, owned)) return anotherIdentity(owned)',
    replace: '',
    tests: [planning],
  },
  {
    name: 'nothing is written down before the act',
    invariant: 4,
    file: `${core}/reconciler/apply-plan.ts`,
    find: "await timed(session, 'record', () => recordIntent(session, wanted, plan))",
    replace: '',
    tests: [simulation],
  },
  {
    name: 'an intention keeps the old identity',
    invariant: 4,
    file: `${core}/reconciler/record.ts`,
    find: "if (owned?.state === 'applied' && action === 'update') return []",
    replace: "if (owned?.state === 'applied') return []",
    tests: [loop],
  },
  {
    name: 'what could not be read counts as missing',
    invariant: 5,
    file: `${core}/plan/judge-declared.ts`,
    find: 'if (unread !== undefined) return { blocked: unreadable(declared.ref, unread) }',
    replace: '',
    tests: [loop],
  },
  {
    name: 'any approval will do',
    invariant: 6,
    file: `${core}/reconciler/policy/judge.ts`,
    find: 'approval.fingerprint === plan.fingerprint && now <',
    replace: 'now <',
    tests: [loop],
  },
  {
    name: 'a wait has no deadline',
    invariant: 7,
    file: `${core}/reconciler/health-wait.ts`,
    find: "tell(engine, { type: 'parked', application: member.name, blocker, deadlineAt })",
    replace: "tell(engine, { type: 'parked', application: member.name, blocker })",
    tests: [simulation],
  },
  {
    name: 'secrets are shown',
    invariant: 8,
    file: `${core}/plan/seal.ts`,
    find: 'redacted: ',
    replace: 'shown: value, redacted: ',
    tests: [simulation],
  },
  {
    name: 'an ignored difference is not reported',
    invariant: 9,
    file: `${core}/plan/by-diff.ts`,
    find: 'ignored: verdicts.flatMap(({ ignored }) => ignored ?? [])',
    replace: 'ignored: []',
    tests: [planning],
  },
  {
    name: 'all targets share one budget',
    invariant: 10,
    file: `${core}/reconciler/pools.ts`,
    find: 'let lane = lanes.get(id)',
    replace: "let lane = lanes.get((id = 'all'))",
    tests: [loop],
  },
  {
    name: 'every run looks at the target again',
    invariant: 11,
    file: `${core}/reconciler/look.ts`,
    find: 'return sameBasis(session.member.settled, basis) &&',
    replace: 'return false && sameBasis(session.member.settled, basis) &&',
    tests: [loop],
  },
  {
    name: 'a file is known by its path alone',
    invariant: 1,
    file: `${core}/desired/file-reader.ts`,
    find: 'file?.digest !== digest || file.type !== type',
    replace: 'file === undefined || file.type !== type',
    tests: [`${core}/desired/file-reader.test.ts`],
  },
  {
    name: 'every commit reads every file',
    invariant: 11,
    file: `${core}/reconciler/run.ts`,
    find: 'application: name, lifetime, progress',
    replace: 'application: name, progress',
    tests: [`${core}/reconciler/lifetime.test.ts`],
  },
  {
    name: 'time comes from the machine',
    invariant: 12,
    file: `${core}/feedback/feedback.ts`,
    find: 'at: options.clock.now()',
    replace: 'at: performance.now()',
    tests: [simulation],
  },
]

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const chosen = mutants.filter(({ name }) => values.only === undefined || name.includes(values.only))
let survivors = 0
for (const mutant of chosen) {
  const caughtBy = run(mutant)
  if (caughtBy === undefined) survivors++
  console.log(`invariant ${String(mutant.invariant).padStart(2)}  ${mutant.name}: ${caughtBy ?? 'SURVIVED'}`)
}
console.log(`Tests  ${chosen.length - survivors} passed, ${survivors} failed`)
process.exitCode = survivors === 0 ? 0 : 1

/** The first test that failed with the mutant in place. */
function run(mutant: Mutant): string | undefined {
  if (!readFileSync(mutant.file, 'utf8').includes(mutant.find)) {
    throw new Error(`The mutant "${mutant.name}" does not fit ${mutant.file} any more. Bring it up to date.`)
  }
  const env = { ...process.env, MUTANT: JSON.stringify(mutant), SIMULATE_SEEDS: '100', NO_COLOR: '1' }
  const args = ['vitest', 'run', '--bail', '1', '--reporter', 'verbose', ...mutant.tests]
  const { stdout, error } = spawnSync('npx', args, { env, encoding: 'utf8', maxBuffer: 2 ** 28, timeout: 120_000 })
  if (error !== undefined) return 'the tests did not end'
  return /^\s*[×✗] (.+?)(?: \d+ms)?$/m.exec(stdout)?.[1]
}
