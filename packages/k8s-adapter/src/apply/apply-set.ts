import {
  type DesiredState,
  GitOpsError,
  type JsonObject,
  label,
  type Plan,
  type Resource,
  type RunCall,
} from '@gitops-sdk/core'
import { collectionPath, applyObject, getObject, type ObjectPlace, placeOf } from '../client/objects.ts'
import { refusalOf } from '../client/errors.ts'
import {
  APPLY_SET_MANAGER,
  applySetIdOf,
  foreignTool,
  groupKindIn,
  parentSaying,
  PART_OF,
  type Reach,
  reachIn,
  reachOf,
} from '../declare/apply-set.ts'
import { claimantIn } from '../observe/observe.ts'
import { claimOn } from '../observe/seen.ts'
import { inTurn, type Writing } from './write.ts'

/**
 * Keeps the parent of an ApplySet true while members are made and removed. What it says never falls short: it is
 * widened before the first write and narrowed when the server has no members of a kind, or in a namespace, any more.
 * A crash in between leaves it too wide, which the next apply puts right.
 */
export interface ParentKeeper {
  /**
   * Widens what the parent says to all that is declared. Throws where it cannot; resolves without where its namespace is
   * not there yet and `mayWait`.
   */
  cover(mayWait: boolean): Promise<void>
  /** Leaves out where no members are. Never throws: too wide is not wrong. */
  narrow(): Promise<void>
}

/** The keeper of the parent that is declared; `undefined` where none is, and where everything goes, the parent last. */
export function parentKeeper(
  { mode }: Plan,
  desired: DesiredState,
  writing: Writing,
  call: RunCall,
): ParentKeeper | undefined {
  const parent = desired.resources.find((each) => applySetIdOf(each) !== undefined)
  if (parent === undefined || mode === 'destroy') return undefined
  const members = desired.resources.filter((each) => each !== parent).map(({ ref }) => ref)
  const wanted = reachOf(members, parent.ref.namespace)
  const set: Members = { parent, body: writing.bodyOf(parent, call), wanted, writing, call }
  let said: Reach | undefined
  return {
    async cover(mayWait) {
      try {
        said ??= await say(set, 'make', (before) => union(before, wanted))
      } catch (thrown) {
        if (!mayWait || refusalOf(thrown)?.status !== 404) throw thrown
      }
    },
    async narrow() {
      if (said === undefined || isSame(said, wanted)) return
      try {
        said = await say(set, 'change', async (before) => union(wanted, await reachLeft(set, before)))
      } catch (thrown) {
        call.log.warn(`${label(parent.ref)} still names kinds or namespaces that may have no members.`, thrown)
      }
    },
  }
}

interface Members {
  readonly parent: Resource
  /** The declaration of the parent with its claim. */
  readonly body: JsonObject
  /** Where everything declared is. */
  readonly wanted: Reach
  readonly writing: Writing
  readonly call: RunCall
}

/** How often a parent that others write meanwhile is read again. */
const ATTEMPTS = 5

/** Writes what `next` makes of what the parent says, unless it says so already, and returns it. */
async function say(
  set: Members,
  how: 'make' | 'change',
  next: (said: Reach) => Reach | Promise<Reach>,
): Promise<Reach> {
  const place = await parentPlace(set)
  for (let attempt = 1; ; attempt++) {
    const live = await getObject(set.writing.client, place, set.call)
    if (live !== undefined) refuseForeign(set, live)
    else if (how === 'change') return nowhere
    const said = live === undefined ? nowhere : reachIn(live)
    const reach = await next(said)
    const isParent = live !== undefined && applySetIdOf({ body: live }) !== undefined
    if (isParent && isSame(said, reach)) return reach
    try {
      await write(set, place, reach, live)
      return reach
    } catch (thrown) {
      if (refusalOf(thrown)?.status !== 409 || attempt === ATTEMPTS) throw thrown
    }
  }
}

const nowhere: Reach = { kinds: new Set(), namespaces: new Set() }

async function parentPlace({ parent: { ref }, writing: { cache }, call }: Members): Promise<ObjectPlace> {
  const served = await cache.discovery.find('v1', 'Secret', call)
  if (served === undefined) throw new GitOpsError('TARGET_REFUSED', 'The server does not serve Secrets.')
  return placeOf(served, ref)
}

/** On condition that nobody wrote since: who lost the application must not narrow what the next one widened. */
async function write(set: Members, place: ObjectPlace, reach: Reach, live: JsonObject | undefined): Promise<void> {
  const { writing, call } = set
  const body = parentSaying(set.body, reach, live)
  const how = { manager: APPLY_SET_MANAGER, force: true }
  const answer = await inTurn(writing, () => applyObject(writing.client, place, body, how, call), call)
  writing.cache.wrote(place.served, answer.body)
}

function refuseForeign({ parent, body, writing, call }: Members, live: JsonObject): void {
  const id = applySetIdOf({ body: live })
  const another = id !== undefined && id !== applySetIdOf(parent) ? 'another ApplySet' : undefined
  const [claimant, self] = [live, body].map((each) => claimantIn(claimOn(each), parent.ref))
  const other = (claimant === self ? undefined : claimant) ?? foreignTool(live) ?? another
  if (other !== undefined)
    throw new GitOpsError(
      'APPLY_CONFLICT',
      `${label(parent.ref)} belongs to ${other}, so it cannot be the parent of the ApplySet of ${call.application}. Remove it, or turn \`applySet\` off.`,
      { details: { owners: [other] } },
    )
  writing.fence.check(live, parent.ref)
}

/** Where there are members although nothing there is declared, of all that the parent says. */
async function reachLeft(set: Members, said: Reach): Promise<Reach> {
  const { wanted, parent } = set
  const [kinds, namespaces] = [new Set<string>(), new Set<string>()]
  const everywhere = [parent.ref.namespace ?? '', ...union(said, wanted).namespaces]
  const note = async (kind: string, namespace: string): Promise<void> => {
    if (!(await hasMembers(set, kind, namespace))) return
    kinds.add(kind)
    if (namespace !== parent.ref.namespace) namespaces.add(namespace)
  }
  for (const kind of without(said.kinds, wanted.kinds)) for (const namespace of everywhere) await note(kind, namespace)
  for (const namespace of without(said.namespaces, wanted.namespaces))
    for (const kind of wanted.kinds) if (!namespaces.has(namespace)) await note(kind, namespace)
  return { kinds, namespaces }
}

/** Whatever cannot be found out counts as a yes. */
async function hasMembers({ parent, writing, call }: Members, kind: string, namespace: string): Promise<boolean> {
  const { group, kind: name } = groupKindIn(kind)
  try {
    const served = await writing.cache.discovery.preferred(group, name, call)
    if (served === undefined) return false
    const path = collectionPath(served, namespace)
    const query = { labelSelector: `${PART_OF}=${applySetIdOf(parent)}`, limit: '1' }
    const { body } = await writing.client.send({ method: 'GET', path, query }, call)
    return ((body['items'] ?? []) as readonly JsonObject[]).length > 0
  } catch (thrown) {
    if (call.signal.aborted) throw thrown
    return true
  }
}

function union(left: Reach, right: Reach): Reach {
  return {
    kinds: new Set([...left.kinds, ...right.kinds]),
    namespaces: new Set([...left.namespaces, ...right.namespaces]),
  }
}

function without(names: ReadonlySet<string>, others: ReadonlySet<string>): string[] {
  return [...names].filter((name) => !others.has(name))
}

function isSame(left: Reach, right: Reach): boolean {
  const same = (some: ReadonlySet<string>, others: ReadonlySet<string>): boolean =>
    some.size === others.size && without(some, others).length === 0
  return same(left.kinds, right.kinds) && same(left.namespaces, right.namespaces)
}
