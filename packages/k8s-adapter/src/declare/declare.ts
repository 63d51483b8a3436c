import {
  type DesiredState,
  desiredState,
  GitOpsError,
  type Json,
  label,
  type JsonObject,
  originText,
  type Rendered,
  type RenderedDocument,
  type Renderer,
  refKey,
  type Resource,
  type ResolvedVariable,
  resolveVariable,
  resource,
  type RunCall,
  type Snapshot,
  type Variables,
} from '@gitops-sdk/core'
import { asApplySet } from './apply-set.ts'
import { wishesOf } from './annotations.ts'
import { check } from './check.ts'
import { type Declared, flatten } from './flatten.ts'
import { hasLastingDocuments } from './files.ts'
import { type Identity, identify, refOf } from './identity.ts'
import { normalise } from './normalise.ts'
import { assertAllowed, type NamespacePolicy } from './policy.ts'
import { precedeDependents } from './precede.ts'
import { scopesFor, type ScopeLookup } from './scope.ts'
import { substitute } from './substitute.ts'

/** How declarations are read. */
export interface DeclareOptions {
  /** The folder or file of the snapshot. @defaultValue the root */
  readonly path: string
  readonly renderer: Renderer
  /** Fills `${name}`; absent leaves such texts alone. A function receives the outputs of other applications. */
  readonly variables?: Variables | ((call: RunCall) => Variables)
  readonly namespaces: NamespacePolicy
  readonly scopeOf: ScopeLookup
  /** Marks everything as members of an ApplySet. @defaultValue false */
  readonly applySet?: boolean
  /** More objects than this are refused. @defaultValue 10_000 */
  readonly maxObjects: number
  /** What this target made of bodies when it declared before. */
  readonly formed: FormedBodies
}

/** What later verbs want to know about a declaration. */
export interface KubePayload {
  /** `refKey` of resources that are made when missing and never changed. */
  readonly createOnly: ReadonlySet<string>
}

/**
 * Renders, reads and checks what is declared: lists taken apart, variables filled in, namespaces given,
 * every body in the form in which it is applied. Asks a server only about kinds that neither Kubernetes
 * nor the declarations themselves define.
 */
export async function declareObjects(
  snapshot: Snapshot,
  call: RunCall,
  options: DeclareOptions,
): Promise<DesiredState> {
  const { documents, tool, warnings = [] } = await render(snapshot, call, options)
  const variables = resolveVariables(options, call)
  const declared = collect(documents, options.maxObjects, variables)
  const scopeOf = scopesFor(declared, options.scopeOf)
  const formed = hasLastingDocuments(options.renderer) ? options.formed : new WeakMap()
  const remarks: string[] = [...warnings]
  const createOnly = new Set<string>()
  const resources: Resource[] = []
  for (const each of declared) {
    const made = await declareOne(each, scopeOf, options.namespaces, formed)
    resources.push(made.resource)
    remarks.push(...made.remarks)
    if (made.createOnly) createOnly.add(refKey(made.resource.ref))
  }
  const inputs: Json = { tool: tool ?? null, variables: shownOf(variables) }
  const payload: KubePayload = { createOnly }
  const set = { application: call.application, namespace: options.namespaces.default ?? 'default' }
  const members = options.applySet === true ? asApplySet(resources, set) : resources
  return desiredState(snapshot.revision, precedeDependents(members), { inputs, warnings: remarks, payload })
}

/** A renderer that builds on one of ours may change what it is given, so that one reads all files again. */
function render(snapshot: Snapshot, call: RunCall, { renderer, path }: DeclareOptions): Promise<Rendered> {
  const { lifetime: _, ...once } = call
  return renderer.render({ snapshot, path }, hasLastingDocuments(renderer) ? call : once)
}

function resolveVariables(
  { variables }: DeclareOptions,
  call: RunCall,
): ReadonlyMap<string, ResolvedVariable> | undefined {
  const given = typeof variables === 'function' ? variables(call) : variables
  return given && new Map(Object.entries(given).map(([name, each]) => [name, resolveVariable(each, call)]))
}

/** Sensitive ones count where they stand: a digest that is kept must not let anybody try out one alone. */
function shownOf(variables: ReadonlyMap<string, ResolvedVariable> | undefined): Json {
  if (variables === undefined) return null
  return Object.fromEntries(
    [...variables].flatMap(([name, { value, sensitive }]) => (sensitive ? [] : [[name, value]])),
  )
}

interface Filled extends Declared {
  /** JSON Pointers at what must not be seen. */
  readonly sensitive: readonly string[]
}

function collect(
  documents: readonly RenderedDocument[],
  maxObjects: number,
  variables: ReadonlyMap<string, ResolvedVariable> | undefined,
): Filled[] {
  const declared: Filled[] = []
  for (const document of documents) {
    for (const { body, origin } of flatten(document)) {
      if (declared.length === maxObjects)
        throw new GitOpsError('DECLARATION_LIMIT', `More than ${maxObjects} objects are declared (maxObjects).`)
      const filled = variables === undefined ? { body, sensitive: [] } : substitute(body, variables, originText(origin))
      declared.push({ origin, ...filled })
    }
  }
  return declared
}

interface Made {
  readonly resource: Resource
  readonly createOnly: boolean
  readonly remarks: readonly string[]
}

/** By body as it was read: in which namespace something was made of it, and what. */
export type FormedBodies = WeakMap<JsonObject, { readonly namespace: string | undefined; readonly made: Made }>

async function declareOne(
  declared: Filled,
  scopeOf: ScopeLookup,
  policy: NamespacePolicy,
  formed: FormedBodies,
): Promise<Made> {
  const { body, origin } = declared
  const place = originText(origin)
  const identity = identify(body, origin)
  check(body, place)
  const remarks: string[] = []
  const namespace = await namespaceFor(identity, scopeOf, policy, (remark) => remarks.push(`${place}: ${remark}`))
  assertAllowed(refOf(identity, namespace), place, policy)
  const known = formed.get(body)
  const isKnown = known !== undefined && known.namespace === namespace
  const made = isKnown ? known.made : form(declared, identity, namespace)
  if (!isKnown) formed.set(body, { namespace, made })
  return remarks.length === 0 ? made : { ...made, remarks: [...remarks, ...made.remarks] }
}

/** Annotations too: kubectl and webhooks leave copies of the whole object in them. */
const secretPlaces = ['/data', '/stringData', '/metadata/annotations']

/** Looks at nothing but what it is given, because what it makes is kept. */
function form({ body, origin, sensitive }: Filled, identity: Identity, namespace: string | undefined): Made {
  const place = originText(origin)
  const ref = refOf(identity, namespace)
  const wishes = wishesOf(body, () => `${place}: ${label(ref)}`)
  const normalised = normalise(withNamespace(body, namespace))
  const remarks = [
    ...normalised.stripped
      .filter((field) => field !== 'status')
      .map((field) => `${place}: ${field} of ${label(ref)} is written by the server and was left out.`),
    ...wishes.unsupported.map((what) => `${place}: ${label(ref)} asks for ${what}.`),
  ]
  const secrets = isSecret(identity) ? [...secretPlaces, ...sensitive] : sensitive
  const made = resource({
    ref,
    body: normalised.body,
    origin,
    ...(secrets.length > 0 && { sensitive: secrets }),
    ...(wishes.order && { order: wishes.order }),
    ...(wishes.options && { options: wishes.options }),
  })
  return { resource: made, createOnly: wishes.createOnly ?? false, remarks }
}

function isSecret({ group, kind }: Identity): boolean {
  return group === '' && kind === 'Secret'
}

async function namespaceFor(
  identity: Identity,
  scopeOf: ScopeLookup,
  policy: NamespacePolicy,
  remark: (text: string) => void,
): Promise<string | undefined> {
  const { apiVersion, group, kind, namespace, name } = identity
  const scope = await scopeOf({ apiVersion, group, kind })
  if (scope === 'cluster') {
    if (namespace !== undefined) remark(`${kind} ${name} is not inside a namespace; ${namespace} was left out.`)
    return undefined
  }
  if (scope === undefined) remark(`nobody knows the kind ${kind} (${apiVersion}) yet; it is taken to be namespaced.`)
  return namespace ?? policy.default ?? 'default'
}

function withNamespace(body: Declared['body'], namespace: string | undefined): Declared['body'] {
  const { namespace: _given, ...metadata } = body['metadata'] as Declared['body']
  return { ...body, metadata: { ...metadata, ...(namespace !== undefined && { namespace }) } }
}
