import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One write at the managed system. */
export interface Write {
  readonly application: string
  readonly generation: number
  readonly token: number
  readonly worker: number
}

/** What the oracle knows: everything is seen by the parent, in one order, also of workers that die. */
export interface World extends AsyncDisposable {
  readonly address: string
  /** Declares a newer generation of an application. Returns the source that has to be asked. */
  commit(application: string): string
  readonly wanted: ReadonlyMap<string, number>
  readonly live: ReadonlyMap<string, number>
  readonly accepted: readonly Write[]
  /** Writes with a token that is no longer the newest: a target that can compare refuses them. */
  readonly refused: readonly Write[]
  /** Accepted writes of an older generation after a newer one. */
  readonly late: readonly Write[]
  /** Writes of two workers to one application at the same time. */
  readonly overlaps: readonly (readonly [Write, Write])[]
  /** Workers that have a write under way. */
  writing(): readonly number[]
  /** Applications that a worker has a write under way for. */
  writtenBy(worker: number): readonly string[]
}

/** The source of an application, by its place among all: ten share one. */
export function repositoryOf(index: number): string {
  return `repository-${Math.floor(index / 10)}`
}

/** Sources and one fencing target for many applications, over HTTP on loopback. Writes take `writeMs`. */
export async function startWorld(names: readonly string[], writeMs: number): Promise<World> {
  const wanted = new Map(names.map((name) => [name, 1]))
  /** Generations by application: at which revision of the source each began. */
  const history = new Map(names.map((name) => [name, [{ revision: 1, generation: 1 }]]))
  const heads = new Map<string, number>()
  const sourceOf = new Map(names.map((name, index) => [name, repositoryOf(index)]))
  for (const source of sourceOf.values()) heads.set(source, 1)
  const live = new Map<string, number>()
  const tokens = new Map<string, number>()
  const underWay = new Map<string, Set<Write>>()
  const accepted: Write[] = []
  const refused: Write[] = []
  const late: Write[] = []
  const overlaps: (readonly [Write, Write])[] = []

  const write = async (one: Write): Promise<boolean> => {
    const others = underWay.get(one.application) ?? new Set()
    underWay.set(one.application, others)
    for (const other of others) if (other.worker !== one.worker) overlaps.push([other, one])
    others.add(one)
    try {
      await new Promise((resolve) => setTimeout(resolve, writeMs))
      return settle(one)
    } finally {
      others.delete(one)
    }
  }
  const settle = (one: Write): boolean => {
    if (one.token < (tokens.get(one.application) ?? 0)) {
      refused.push(one)
      return false
    }
    tokens.set(one.application, one.token)
    accepted.push(one)
    if (one.generation < (live.get(one.application) ?? 0)) late.push(one)
    live.set(one.application, one.generation)
    return true
  }
  const answer = async (path: readonly string[], request: IncomingMessage): Promise<unknown> => {
    const [kind, name = '', revision = ''] = path
    if (kind === 'head') return { revision: heads.get(name) }
    if (kind === 'snapshot') {
      return { generation: history.get(name)?.findLast((each) => each.revision <= Number(revision))?.generation }
    }
    if (kind === 'live') return { generation: live.get(name) ?? null }
    let body = ''
    for await (const chunk of request) body += String(chunk)
    return { accepted: await write(JSON.parse(body) as Write) }
  }
  const server: Server = createServer((request, response) => {
    answer((request.url ?? '').slice(1).split('/'), request).then(
      (value) => response.end(JSON.stringify(value)),
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    commit: (application) => {
      const source = sourceOf.get(application) ?? ''
      const revision = (heads.get(source) ?? 0) + 1
      const generation = (wanted.get(application) ?? 0) + 1
      heads.set(source, revision)
      wanted.set(application, generation)
      history.get(application)?.push({ revision, generation })
      return source
    },
    wanted,
    live,
    accepted,
    refused,
    late,
    overlaps,
    writing: () => [...underWay.values()].flatMap((writes) => [...writes].map(({ worker }) => worker)),
    writtenBy: (worker) =>
      [...underWay].flatMap(([name, writes]) => ([...writes].some((each) => each.worker === worker) ? [name] : [])),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
