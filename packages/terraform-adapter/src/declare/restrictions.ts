import { type Call, GitOpsError, type Json, type JsonObject } from '@gitops-sdk/core'
import { decodeDocuments } from '@gitops-sdk/core/files'
import { type ModuleFiles, localModule } from '../workspace/module.ts'
import { type Token, tokensOf } from './hcl.ts'

/**
 * What a module of somebody else may not do, found in its text before the binary sees it. It keeps a module from
 * naming a program; it is no sandbox: a provider is a program, and functions read files of the machine.
 */
export interface ModuleRestrictions {
  /** Provisioners other than `file`, and resources and data sources that run programs. @defaultValue 'refuse' */
  readonly programs?: 'refuse' | 'allow'
  /**
   * Providers that may be used: `hashicorp/aws`, `hashicorp/*`, `registry.example.com/acme/*`. Without a host, one of
   * the two public registries is meant. @defaultValue all of the public registries
   */
  readonly providers?: readonly string[]
  /** Sources of modules from elsewhere, as they stand in the module; `*` at the end stands for the rest. @defaultValue none */
  readonly modules?: readonly string[]
}

const publicHosts = ['registry.terraform.io', 'registry.opentofu.org']
/** Resources, data sources and actions whose work is to run a program. */
const programTypes = ['external', 'local_command']
const typed = ['data', 'resource', 'ephemeral', 'action']

/** One thing a module asks for. */
type Wish = { readonly kind: 'provisioner' | 'type' | 'module' | 'provider'; readonly value: string | undefined }

/** Throws `POLICY_DENIED` for the first thing that is not allowed, with the file and the rule. */
export async function checkModule({ files }: ModuleFiles, rules: ModuleRestrictions, call: Call): Promise<void> {
  for (const { path, read } of files) {
    if (!/\.(tf|tofu)(\.json)?$|\.terraform\.lock\.hcl$/.test(path)) continue
    const bytes = await read(call)
    const wishes = path.endsWith('.json') ? wishesInJson(bytes, path) : wishesIn(tokensOf(textOf(bytes), path))
    for (const wish of wishes) checkWish(wish, path, rules)
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function checkWish({ kind, value }: Wish, path: string, rules: ModuleRestrictions): void {
  const { programs = 'refuse', providers = ['*/*'], modules = [] } = rules
  const refuse = (what: string, rule: string): never => {
    const message = `${path}: ${what} ${JSON.stringify(value ?? 'of a value that is not written down')} is refused by \`restrict.${rule}\` of the target.`
    throw new GitOpsError('POLICY_DENIED', message, { details: { path, rule: `restrict.${rule}` } })
  }
  if (kind === 'provisioner' && programs === 'refuse' && value !== 'file') refuse('the provisioner', 'programs')
  if (kind === 'type' && programs === 'refuse' && (value === undefined || programTypes.includes(value)))
    refuse('the type', 'programs')
  // However it is spelt, it must be in the source.
  if (kind === 'module' && isLocal(value)) localModule(value, path)
  else if (kind === 'module' && !modules.some((rule) => isModule(value, rule))) refuse('the module', 'modules')
  if (kind === 'provider' && !providers.some((rule) => isProvider(value, rule))) refuse('the provider', 'providers')
}

function isLocal(source: string | undefined): source is string {
  return source !== undefined && /^\.\.?\//.test(source)
}

function isModule(source: string | undefined, rule: string): boolean {
  if (source === undefined) return false
  return rule.endsWith('*') ? source.startsWith(rule.slice(0, -1)) : source === rule
}

function isProvider(source: string | undefined, rule: string): boolean {
  if (source === undefined) return false
  const [given, allowed] = [addressOf(source), addressOf(rule)]
  return allowed.every((part, index) => part === '*' || part === given[index])
}

/** Host, namespace and name of a provider; the public registries are one. */
function addressOf(source: string): readonly [string, string, string] {
  const parts = source.toLowerCase().split('/')
  const [host, namespace, name] =
    parts.length === 1 ? ['', 'hashicorp', ...parts] : parts.length === 2 ? ['', ...parts] : parts
  return [publicHosts.includes(host ?? '') ? '' : (host ?? ''), namespace ?? '', name ?? '']
}

function* wishesIn(tokens: readonly Token[]): Generator<Wish> {
  const stack: (readonly Token[])[] = []
  let head: Token[] = []
  for (const [index, token] of tokens.entries()) {
    const value = 'value' in token ? token.value : undefined
    if (token.kind === 'mark' && value === '{') {
      yield* wishesOfBlock(head, stack)
      stack.push(head)
      head = []
    } else if (token.kind === 'mark' && value === '}') {
      stack.pop()
      head = []
    } else if (token.kind === 'line' || (token.kind === 'mark' && value === ',')) head = []
    else {
      if (token.kind === 'mark' && (value === '=' || value === ':'))
        yield* wishesOfField(head, tokens[index + 1], stack)
      head.push(token)
    }
  }
}

const nameOf = (token: Token | undefined): string | undefined =>
  token !== undefined && 'value' in token ? token.value : undefined

function* wishesOfBlock([first, label]: readonly Token[], stack: readonly (readonly Token[])[]): Generator<Wish> {
  if (first?.kind !== 'word' || label === undefined || label.kind === 'mark') return
  if (first.value === 'provisioner') yield { kind: 'provisioner', value: nameOf(label) }
  if (typed.includes(first.value)) yield { kind: 'type', value: nameOf(label) }
  // In a lock file the label is the address.
  const address = nameOf(label)
  if (first.value === 'provider' && stack.length === 0 && address?.includes('/') === true)
    yield { kind: 'provider', value: address }
}

function* wishesOfField(
  head: readonly Token[],
  value: Token | undefined,
  stack: readonly (readonly Token[])[],
): Generator<Wish> {
  if (head.length !== 1 || nameOf(head[0]) !== 'source') return
  const text = value?.kind === 'text' ? value.value : undefined
  const [inside] = stack.at(-1) ?? []
  if (stack.length === 1 && nameOf(inside) === 'module') yield { kind: 'module', value: text }
  if (stack.some(([first]) => nameOf(first) === 'required_providers')) yield { kind: 'provider', value: text }
}

function* wishesInJson(bytes: Uint8Array, path: string): Generator<Wish> {
  for (const { body } of decodeDocuments(bytes, path)) yield* wishesOfJson(body)
}

/** In JSON, blocks are members: of an object, or of the objects in a list. */
function* wishesOfJson(value: Json): Generator<Wish> {
  for (const [name, below] of membersOf(value)) {
    if (name === 'provisioner') for (const [label] of membersOf(below)) yield { kind: 'provisioner', value: label }
    if (typed.includes(name)) for (const [label] of membersOf(below)) yield { kind: 'type', value: label }
    if (name === 'module') for (const [, call] of membersOf(below)) yield* sourcesOf(call, 'module')
    if (name === 'required_providers')
      for (const [, provider] of membersOf(below)) yield* sourcesOf(provider, 'provider')
    yield* wishesOfJson(below)
  }
}

function* sourcesOf(value: Json, kind: 'module' | 'provider'): Generator<Wish> {
  for (const [name, source] of membersOf(value))
    if (name === 'source')
      yield { kind, value: typeof source === 'string' && !source.includes('${') ? source : undefined }
}

function membersOf(value: Json): [string, Json][] {
  if (Array.isArray(value)) return value.flatMap(membersOf)
  return typeof value === 'object' && value !== null ? Object.entries(value as JsonObject) : []
}
