import { GitOpsError, Secret } from '@gitops-sdk/core'

/** What the process of the binary inherits from this one; nothing else. */
const inherited = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'SystemRoot']

/** Would change what a command does behind the back of a plan. */
const refused =
  /^(TF_CLI_ARGS.*|TF_LOG.*|TF_WORKSPACE|TF_DATA_DIR|TF_CLI_CONFIG_FILE|TF_INPUT|TF_IN_AUTOMATION|TF_VAR_.*|TF_HTTP_.*|TF_PLUGIN_CACHE_.*|LD_.*|DYLD_.*)$/

/** Variables of the environment that providers need, by name. */
export type Environment = Readonly<Record<string, string | Secret>>

/** Throws `CONFIG_INVALID` for a variable that steers the binary itself. */
export function checkEnvironment(environment: Environment): void {
  const bad = Object.keys(environment).find((name) => refused.test(name) || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (bad === undefined) return
  const message = `environment.${bad} is refused: it would change what the binary does. Use the option of the target for it.`
  throw new GitOpsError('CONFIG_INVALID', message)
}

/** What is the same for every command of one application. */
export interface Surroundings {
  /** Takes the place of the home folder: no configuration of whoever runs this is read. */
  readonly home: string
  /** The configuration file of the binary. */
  readonly config: string
  readonly workspace: string
  readonly given: Environment
}

/**
 * How much the heap of the binary may grow between two collections, in percent. With the 100 of its runtime, a command
 * that lives for a second collects all the time: a fifth of its work. A module of 1,000 resources then takes 235 MB
 * instead of 124. `environment` may say otherwise.
 */
const HEAP_GROWTH = '400'

/** The whole environment of a command. */
export function environmentOf({ home, config, workspace, given }: Surroundings): Record<string, string> {
  const own = inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]))
  const plain = Object.entries(given).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value])
  return {
    ...Object.fromEntries(own),
    GOGC: HEAP_GROWTH,
    ...Object.fromEntries(plain),
    HOME: home,
    TMPDIR: home,
    TF_CLI_CONFIG_FILE: config,
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    ...(workspace !== 'default' && { TF_WORKSPACE: workspace }),
  }
}
