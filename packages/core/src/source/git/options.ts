import { GitOpsError } from '../../runtime/errors.ts'
import { isRecord } from '../../runtime/is-record.ts'
import { defaultLimits } from './limits.ts'
import { defaultRetry } from './retry.ts'
import { defaultTimeouts } from './transport/transport.ts'

/** One option that is not what it must be. Its value is not repeated: it may be a secret. */
interface Problem {
  readonly option: string
  readonly must: string
}

type Rule = (value: unknown, option: string) => readonly Problem[]
type Rules = Readonly<Record<string, Rule>>

/**
 * Throws `CONFIG_INVALID`, naming each option that is wrong and what it must be, unless `options` are those of
 * `gitSource`. Types say the same; this is for callers that have none.
 */
export function checkSourceOptions(options: unknown): void {
  const shared = isRecord(options) && options['repository'] !== undefined
  const rules = shared ? { ...viewRules, repository: openRepository } : { ...viewRules, ...repositoryRules }
  check('gitSource', shape(rules, shared ? [] : ['url']), options)
}

/** As `checkSourceOptions`, for `gitRepository`. */
export function checkRepositoryOptions(options: unknown): void {
  check('gitRepository', shape(repositoryRules, ['url']), options)
}

function check(what: string, rule: Rule, options: unknown): void {
  const problems = rule(options, '')
  if (problems.length === 0) return
  const sentences = problems.map(
    ({ option, must }) => `${option === '' ? 'The options' : `\`${option}\``} must ${must}.`,
  )
  throw new GitOpsError('CONFIG_INVALID', `${what} is not configured correctly: ${sentences.join(' ')}`, {
    details: { problems },
  })
}

function rule(must: string, holds: (value: unknown) => boolean): Rule {
  return (value, option) => (holds(value) ? [] : [{ option, must }])
}

const text = rule('be text', (value) => typeof value === 'string')
const flag = rule('be true or false', (value) => typeof value === 'boolean')
const callable = rule('be a function', (value) => typeof value === 'function')
const thing = rule('be an object', isRecord)
const count = rule('be a whole number from 1', (value) => Number.isSafeInteger(value) && Number(value) >= 1)
const milliseconds = rule('be milliseconds from 0', (value) => Number.isFinite(value) && Number(value) >= 0)
const pem = rule('be text or bytes', (value) => typeof value === 'string' || value instanceof Uint8Array)
const openRepository = rule(
  'be what gitRepository gives',
  (value) => isRecord(value) && typeof value['follow'] === 'function',
)

function oneOf(...values: readonly (string | number)[]): Rule {
  return rule(`be ${values.join(' or ')}`, (value) => values.some((one) => one === value))
}

/** An object of these options and no others. */
function shape(rules: Rules, required: readonly string[] = []): Rule {
  return (value, option) => {
    if (!isRecord(value)) return thing(value, option)
    const path = (name: string): string => (option === '' ? name : `${option}.${name}`)
    const unknown = Object.keys(value).filter((name) => !Object.hasOwn(rules, name))
    const missing = required.filter((name) => value[name] === undefined)
    return [
      ...unknown.map((name) => ({
        option: path(name),
        must: `not be given; there are ${Object.keys(rules).join(', ')}`,
      })),
      ...missing.map((name) => ({ option: path(name), must: 'be given' })),
      ...Object.entries(rules).flatMap(([name, one]) =>
        value[name] === undefined ? [] : one(value[name], path(name)),
      ),
    ]
  }
}

/** As `shape`, for what is laid over defaults: `undefined` would take the place of one. */
function overDefaults(rules: Rules): Rule {
  const known = shape(rules)
  return (value, option) => {
    const given = isRecord(value) ? Object.entries(value) : []
    const empty = given.filter(([name, one]) => one === undefined && Object.hasOwn(rules, name))
    return [...known(value, option), ...empty.flatMap(([name]) => rules[name]?.(undefined, `${option}.${name}`) ?? [])]
  }
}

function eachOf(defaults: object, one: Rule): Rules {
  return Object.fromEntries(Object.keys(defaults).map((name) => [name, one]))
}

const ref: Rule = (value, option) => {
  if (typeof value === 'string') return []
  const kinds = [
    shape({ branch: text }, ['branch']),
    shape({ tag: text }, ['tag']),
    shape({ commit: text }, ['commit']),
    shape({ semver: text, includePrerelease: flag }, ['semver']),
  ]
  if (kinds.some((kind) => kind(value, option).length === 0)) return []
  return [{ option, must: 'be a name, or an object of one of `branch`, `tag`, `commit` and `semver`' }]
}

const storage: Rule = (value, option) =>
  value === 'memory' || shape({ folder: text }, ['folder'])(value, option).length === 0
    ? []
    : [{ option, must: 'be memory, or an object with `folder`' }]

const viewRules: Rules = {
  ref,
  path: text,
  onRewritten: oneOf('hold', 'follow'),
  symlinks: oneOf('refuse', 'skip', 'follow'),
  submodules: oneOf('refuse', 'skip'),
  verify: callable,
  write: shape(
    { committer: shape({ name: text, email: text }, ['name', 'email']), sign: callable, maxAttempts: count },
    ['committer'],
  ),
}

const repositoryRules: Rules = {
  url: text,
  credentials: callable,
  storage,
  partial: flag,
  keepRevisions: count,
  shareMs: milliseconds,
  limits: overDefaults(eachOf(defaultLimits, count)),
  timeouts: overDefaults(eachOf(defaultTimeouts, milliseconds)),
  retry: overDefaults({ ...eachOf(defaultRetry, milliseconds), maxAttempts: count }),
  network: shape({
    ca: pem,
    cert: pem,
    key: pem,
    passphrase: text,
    proxy: shape({ url: text, authorization: text }, ['url']),
    destinations: thing,
    lookup: callable,
  }),
  ssh: shape({ knownHostsFile: text, identityFile: text, agentSocket: text, program: text }, ['knownHostsFile']),
  allowPlainHttp: flag,
  protocol: oneOf(0, 1, 2),
}
