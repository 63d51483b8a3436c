import type { JsonObject } from '@gitops-sdk/core'

/** What the target needs of the system: write one of these for yours. A call that fails throws; it never answers "not there". */
export interface Client {
  /** Names the system, without credentials. */
  readonly id: string
  /** The item with this name; `undefined` when there is certainly none. */
  get(name: string, signal: AbortSignal): Promise<Item | undefined>
  /** Creates or replaces. */
  put(name: string, item: Item, signal: AbortSignal): Promise<void>
  /** Harmless when there is none. */
  remove(name: string, signal: AbortSignal): Promise<void>
}

/** One item of the system. */
export interface Item {
  readonly body: JsonObject
  /** The application that manages it: a label, a tag, a prefix, whatever the system can remember. */
  readonly managedBy: string | undefined
}

/** A system in memory, for tests. */
export function memoryClient(id = 'memory'): Client & { readonly items: Map<string, Item>; broken: boolean } {
  const items = new Map<string, Item>()
  const client = {
    id,
    items,
    broken: false,
    get: async (name: string): Promise<Item | undefined> => {
      if (client.broken) throw new Error('connection refused')
      return items.get(name)
    },
    put: async (name: string, item: Item): Promise<void> => void items.set(name, item),
    remove: async (name: string): Promise<void> => void items.delete(name),
  }
  return client
}
