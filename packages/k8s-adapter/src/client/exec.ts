import { type Call, GitOpsError, type Json, type JsonObject } from '@gitops-sdk/core'
import { runTool } from '@gitops-sdk/core/node'
import { objectOf, textOf } from './json.ts'
import { type Credential, sharedUntilExpiry, type Token } from './token.ts'

/** The cluster a plugin is asked for, as it is told when its kubeconfig entry says `provideClusterInfo`. */
export interface ExecCluster {
  readonly server: string
  readonly ca: string | undefined
  readonly serverName: string | undefined
}

const versions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

/**
 * A token from a credential plugin. The plugin runs once for each expiry, whoever else waits, and is never asked
 * to talk to a person. `programs` maps the `command` of a kubeconfig to the absolute path of the program that may
 * run for it; any other is refused, because a kubeconfig that names a program runs it.
 */
export function execToken(exec: JsonObject, cluster: ExecCluster, programs: Readonly<Record<string, string>>): Token {
  const command = textOf(exec['command'])
  const program = Object.hasOwn(programs, command) ? programs[command] : undefined
  if (program === undefined) throw refused(`the program ${command || '(none)'} is not among execPrograms`)
  const apiVersion = textOf(exec['apiVersion'])
  if (!versions.includes(apiVersion)) throw refused(`exec of the version ${apiVersion || '(none)'} is not supported`)
  if (exec['interactiveMode'] === 'Always') throw refused(`${command} needs a person to answer it`)
  const run = (call: Call): Promise<Credential> => runPlugin({ program, command, apiVersion, exec, cluster }, call)
  return sharedUntilExpiry(run)
}

interface Plugin {
  readonly program: string
  readonly command: string
  readonly apiVersion: string
  readonly exec: JsonObject
  readonly cluster: ExecCluster
}

async function runPlugin({ program, command, apiVersion, exec, cluster }: Plugin, call: Call): Promise<Credential> {
  const args = Array.isArray(exec['args']) ? exec['args'].map((each: Json) => textOf(each)) : []
  const info = JSON.stringify(execInfo(apiVersion, exec, cluster))
  const env = { ...homeOf(), ...variablesOf(exec), KUBERNETES_EXEC_INFO: info }
  const limits = { timeMs: 60_000, stdoutBytes: 1_048_576 }
  const { exitCode, stdout } = await runTool({ program, options: args, folder: '/', env, limits }, call)
  // What it printed may hold a credential, so none of it is repeated.
  if (exitCode !== 0) throw failed(`${command} ended with ${exitCode ?? 'a signal'}`)
  return credentialIn(new TextDecoder().decode(stdout), command, apiVersion)
}

function execInfo(apiVersion: string, exec: JsonObject, { server, ca, serverName }: ExecCluster): JsonObject {
  const cluster = {
    server,
    ...(ca !== undefined && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(serverName !== undefined && { 'tls-server-name': serverName }),
  }
  const spec = { interactive: false, ...(exec['provideClusterInfo'] === true && { cluster }) }
  return { apiVersion, kind: 'ExecCredential', spec }
}

/** Plugins keep their own login below the home folder. */
function homeOf(): Record<string, string> {
  const home = process.env['HOME']
  return home === undefined ? {} : { HOME: home }
}

function variablesOf(exec: JsonObject): Record<string, string> {
  const list = Array.isArray(exec['env']) ? exec['env'].map((each: Json) => objectOf(each)) : []
  return Object.fromEntries(list.map(({ name, value }) => [textOf(name), textOf(value)]))
}

function credentialIn(text: string, command: string, apiVersion: string): Credential {
  const credential = objectOf(parse(text, command))
  const status = objectOf(credential['status'])
  if (credential['kind'] !== 'ExecCredential' || credential['apiVersion'] !== apiVersion)
    throw failed(`${command} did not answer with an ExecCredential of ${apiVersion}`)
  const token = textOf(status['token'])
  if (token === '') throw failed(`${command} gave no token; client certificates of plugins are not supported`)
  const end = textOf(status['expirationTimestamp'])
  // oxlint-disable-next-line no-restricted-globals -- reads a text, not the time
  const expiresAt = end === '' ? undefined : Date.parse(end)
  if (expiresAt !== undefined && Number.isNaN(expiresAt)) throw failed(`${command} gave an end that is no time`)
  return { token, expiresAt }
}

function parse(text: string, command: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    // The cause would quote the text.
    throw failed(`${command} did not answer in JSON`)
  }
}

function refused(why: string): GitOpsError {
  return new GitOpsError('CONFIG_INVALID', `The kubeconfig cannot be used: ${why}.`)
}

function failed(why: string): GitOpsError {
  return new GitOpsError('TARGET_AUTH', `The credential plugin failed: ${why}. Run it by hand to see what it says.`)
}
