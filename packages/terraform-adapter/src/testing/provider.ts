import { randomUUID } from 'node:crypto'
import type { CloudRecord, FakeCloud } from './fake-cloud.ts'
import type { MethodName } from './protocol.ts'
import { type Unknown, type Values, unknown } from './values.ts'
import type { Message } from './wire.ts'

/** How the provider takes a request to stop. */
export type Cancellation = 'polite' | 'context-aware'

/** How the provider behaves. */
export interface ProviderBehaviour {
  /** `polite` finishes the call in progress; `context-aware` gives up waiting although the cloud goes on. @defaultValue 'polite' */
  readonly cancellation: Cancellation
  /** The etag of a record changes with every read. @defaultValue false */
  readonly volatile: boolean
  /** How long each read takes, in milliseconds. @defaultValue 0 */
  readonly readDelayMs: number
}

/** Answers a decoded request. */
export type Handlers = Readonly<Record<MethodName, (request: Message) => Promise<Message> | Message>>

type State = Readonly<Record<string, unknown>> | null

const attribute = (name: string, type: unknown, flags: Message): Message => ({
  name,
  type: Buffer.from(JSON.stringify(type)),
  ...flags,
})

const recordSchema: Message = {
  version: 0,
  block: {
    attributes: [
      attribute('etag', 'string', { computed: true }),
      attribute('id', 'string', { computed: true }),
      attribute('name', 'string', { required: true }),
      attribute('password_wo', 'string', { optional: true, writeOnly: true }),
      attribute('secret', 'string', { optional: true, sensitive: true }),
      attribute('tags', ['map', 'string'], { optional: true }),
      attribute('value', 'string', { optional: true }),
    ],
  },
}

/** The provider of `fake_record`: a thing with a name, a value, tags, a secret and a password that is only written. */
export function recordProvider(
  cloud: FakeCloud,
  behaviour: ProviderBehaviour,
  values: Values,
  crash: () => void,
): Handlers {
  const stop = new AbortController()
  const state = (request: Message, field: string): State => values.decode(request[field]) as State
  return {
    GetProviderSchema: () => ({ provider: { block: {} }, resourceSchemas: { fake_record: recordSchema } }),
    ValidateProviderConfig: () => ({}),
    ConfigureProvider: () => ({}),
    ValidateResourceConfig: () => ({}),
    UpgradeResourceState: ({ rawState }) => ({
      upgradedState: values.encode(JSON.parse(String((rawState as Message)['json'])) as unknown),
    }),
    async ReadResource(request) {
      await slowly(cloud, behaviour.readDelayMs)
      if (cloud.outage !== undefined) return refused(cloud.outage)
      const id = state(request, 'currentState')?.['id']
      const found = cloud.records.get(String(id))
      if (found && behaviour.volatile) found.etag = randomUUID()
      return { newState: values.encode(found ? stateOf(found) : null) }
    },
    PlanResourceChange: (request) =>
      planRecord(state(request, 'priorState'), state(request, 'proposedNewState'), values),
    ApplyResourceChange: (request) => {
      const prior = state(request, 'priorState')
      const planned = state(request, 'plannedState')
      return applyRecord(
        { cloud, behaviour, values, stop: stop.signal, crash },
        prior,
        planned,
        state(request, 'config'),
      )
    },
    ImportResourceState: ({ id }) => {
      const found = cloud.records.get(String(id)) ?? cloud.find(String(id))
      if (found === undefined) return refused(`There is no record ${String(id)}.`)
      return { importedResources: [{ typeName: 'fake_record', state: values.encode(stateOf(found)) }] }
    },
    StopProvider: () => {
      stop.abort()
      return {}
    },
  }
}

interface Applying {
  readonly cloud: FakeCloud
  readonly behaviour: ProviderBehaviour
  readonly values: Values
  readonly stop: AbortSignal
  /** Ends the provider as a crash would: every call in progress breaks. */
  readonly crash: () => void
}

function planRecord(prior: State, proposed: State, values: Values): Message {
  if (proposed === null) return { plannedState: values.encode(null) }
  const isSame = prior !== null && JSON.stringify(wanted(prior)) === JSON.stringify(wanted(proposed))
  const isNew = prior === null || prior['name'] !== proposed['name']
  const etag: unknown = isSame ? prior['etag'] : unknown
  const id: string | Unknown = isNew ? unknown : String(prior['id'])
  return {
    plannedState: values.encode({ ...proposed, id, etag, password_wo: null }),
    ...(prior !== null && isNew && { requiresReplace: [{ steps: [{ attributeName: 'name' }] }] }),
  }
}

function wanted(state: NonNullable<State>): unknown[] {
  const tags = Object.entries((state['tags'] as object | null) ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [state['name'], state['value'], state['secret'], state['tags'] === null ? null : tags]
}

async function applyRecord(applying: Applying, prior: State, planned: State, config: State): Promise<Message> {
  const { cloud, values } = applying
  const name = String((planned ?? prior)?.['name'])
  const fault = cloud.faults.get(name)
  if (fault?.error !== undefined) return { ...refused(fault.error), newState: values.encode(prior) }
  if (planned === null) {
    cloud.records.delete(String(prior?.['id']))
    return { newState: values.encode(null) }
  }
  const password = config?.['password_wo']
  if (typeof password === 'string') cloud.passwords.set(name, password)
  const record = write(cloud, prior, planned)
  const gaveUp = await waitFor(applying, fault?.delayMs ?? 0)
  if (fault?.crash === true) applying.crash()
  if (gaveUp) return { ...refused('context canceled'), newState: values.encode(prior) }
  return { newState: values.encode(stateOf(record)) }
}

function write(cloud: FakeCloud, prior: State, planned: NonNullable<State>): CloudRecord {
  const value = (planned['value'] as string | undefined) ?? null
  const tags = (planned['tags'] as Record<string, string> | undefined) ?? null
  const secret = (planned['secret'] as string | undefined) ?? null
  const known = cloud.records.get(String(prior?.['id']))
  if (known === undefined) return cloud.create({ name: String(planned['name']), value, tags, secret })
  return Object.assign(known, { value, tags, secret, etag: randomUUID() })
}

/** Resolves to true when the wait was given up because the provider was told to stop. */
async function waitFor({ behaviour, stop }: Applying, delayMs: number): Promise<boolean> {
  if (behaviour.cancellation === 'polite') return pause(delayMs).then(() => false)
  const stopped = new Promise<boolean>((resolve) => stop.addEventListener('abort', () => resolve(true), { once: true }))
  return Promise.race([stopped, pause(delayMs).then(() => false)])
}

function pause(delayMs: number): Promise<void> {
  return delayMs === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, delayMs))
}

function stateOf({ id, name, value, tags, secret, etag }: CloudRecord): NonNullable<State> {
  return { etag, id, name, password_wo: null, secret, tags, value }
}

function refused(summary: string): Message {
  return { diagnostics: [{ severity: 1, summary, detail: '' }] }
}

async function slowly({ reads }: FakeCloud, delayMs: number): Promise<void> {
  reads.most = Math.max(reads.most, ++reads.now)
  await pause(delayMs)
  reads.now--
}
