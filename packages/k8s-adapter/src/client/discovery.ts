import { type Call, GitOpsError, type Json, type JsonObject } from '@gitops-sdk/core'
import { objectOf, objectsOf, textOf } from './json.ts'
import type { KubeClient } from './port.ts'

/** A kind that a server serves. */
export interface ServedKind {
  /** `apps/v1`, `v1`. */
  readonly apiVersion: string
  readonly group: string
  readonly kind: string
  /** The word in paths: `deployments`. */
  readonly resource: string
  readonly namespaced: boolean
}

/** What a server serves, read once and again when something is missing. */
export interface Discovery {
  /** The kind in exactly this version. Asks again once where it is not known and `again` is set. */
  find(apiVersion: string, kind: string, call: Call, again?: boolean): Promise<ServedKind | undefined>
  /**
   * The kind in the version the server prefers. Throws `OBSERVE_PARTIAL` when its group did not answer:
   * that it is not listed then says nothing.
   */
  preferred(group: string, kind: string, call: Call): Promise<ServedKind | undefined>
  /** Forgets what is known: something was defined or removed. */
  forget(): void
}

interface Known {
  readonly kinds: ReadonlyMap<string, ServedKind>
  readonly preferred: ReadonlyMap<string, ServedKind>
  /** Groups whose server did not answer when they were asked for. */
  readonly stale: ReadonlySet<string>
}

const aggregated = ['v2', 'v2beta1'].map(
  (version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
)
const accept = [...aggregated, 'application/json'].join(',')

/** Discovery through a client: two requests where the server can answer for all groups at once. */
export function createDiscovery(client: KubeClient): Discovery {
  let known: Promise<Known> | undefined
  const load = (call: Call): Promise<Known> => {
    const loading = (known ??= readAll(client, call))
    // What failed is asked for again the next time.
    loading.catch(() => {
      if (known === loading) known = undefined
    })
    return loading
  }
  const find: Discovery['find'] = async (apiVersion, kind, call, again = true) => {
    const found = (await load(call)).kinds.get(`${apiVersion} ${kind}`)
    if (found !== undefined || !again) return found
    known = undefined
    return (await load(call)).kinds.get(`${apiVersion} ${kind}`)
  }
  return {
    find,
    async preferred(group, kind, call) {
      const { preferred, stale } = await load(call)
      const found = preferred.get(`${group}/${kind}`)
      if (found === undefined && stale.has(group))
        throw new GitOpsError(
          'OBSERVE_PARTIAL',
          `The API group ${group} does not answer, so nothing is known about ${kind}.`,
        )
      return found
    },
    forget: () => {
      known = undefined
    },
  }
}

async function readAll(client: KubeClient, call: Call): Promise<Known> {
  const roots = await Promise.all(['/api', '/apis'].map((path) => client.send({ method: 'GET', path, accept }, call)))
  const builder: Builder = { kinds: new Map(), preferred: new Map(), stale: new Set() }
  for (const [index, { body }] of roots.entries()) {
    if (body['kind'] === 'APIGroupDiscoveryList') for (const group of objectsOf(body['items'])) addGroup(builder, group)
    else await addLegacy(builder, client, index === 0 ? coreVersions(body) : groupVersions(body), call)
  }
  return builder
}

interface Builder {
  readonly kinds: Map<string, ServedKind>
  readonly preferred: Map<string, ServedKind>
  readonly stale: Set<string>
}

function addGroup(builder: Builder, group: JsonObject): void {
  const name = textOf(objectOf(group['metadata'])['name'])
  for (const version of objectsOf(group['versions'])) {
    if (version['freshness'] === 'Stale') builder.stale.add(name)
    const apiVersion = name === '' ? textOf(version['version']) : `${name}/${textOf(version['version'])}`
    for (const each of objectsOf(version['resources'])) {
      const kind = textOf(objectOf(each['responseKind'])['kind'])
      add(builder, {
        apiVersion,
        group: name,
        kind,
        resource: textOf(each['resource']),
        namespaced: each['scope'] === 'Namespaced',
      })
    }
  }
}

function add({ kinds, preferred }: Builder, served: ServedKind): void {
  if (served.kind === '' || served.resource === '' || served.resource.includes('/')) return
  const key = `${served.apiVersion} ${served.kind}`
  if (!kinds.has(key)) kinds.set(key, served)
  const group = `${served.group}/${served.kind}`
  if (!preferred.has(group)) preferred.set(group, served)
}

function coreVersions(body: JsonObject): readonly (readonly [string, string])[] {
  return (Array.isArray(body['versions']) ? body['versions'] : []).map(
    (version: Json) => ['', textOf(version)] as const,
  )
}

function groupVersions(body: JsonObject): readonly (readonly [string, string])[] {
  return objectsOf(body['groups']).flatMap((group) => {
    const first = textOf(objectOf(group['preferredVersion'])['groupVersion'])
    const all = objectsOf(group['versions']).map((each) => textOf(each['groupVersion']))
    return [first, ...all.filter((each) => each !== first)].map((version) => [textOf(group['name']), version] as const)
  })
}

/** Servers before 1.26, and others that do not know the aggregated form: one request for each group and version. */
async function addLegacy(
  builder: Builder,
  client: KubeClient,
  versions: readonly (readonly [string, string])[],
  call: Call,
): Promise<void> {
  const read = async ([group, apiVersion]: readonly [string, string]): Promise<JsonObject[]> => {
    const path = group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`
    try {
      return objectsOf((await client.send({ method: 'GET', path }, call)).body['resources'])
    } catch (thrown) {
      if (call.signal.aborted) throw thrown
      builder.stale.add(group)
      return []
    }
  }
  const lists = await Promise.all(versions.map(read))
  for (const [index, list] of lists.entries()) {
    const [group, apiVersion] = versions[index]!
    for (const each of list)
      add(builder, {
        apiVersion,
        group,
        kind: textOf(each['kind']),
        resource: textOf(each['name']),
        namespaced: each['namespaced'] === true,
      })
  }
}
