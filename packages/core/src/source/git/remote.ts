import type { Call } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { GitLimits } from './limits.ts'
import { type Advertisement, type RemoteRef, readAdvertisement } from './protocol/advertisement.ts'
import { type FetchRequest, type FetchAnswer, canFilter, fetchRequest, readFetchAnswer } from './protocol/fetch.ts'
import { listRefsRequest, readRefs } from './protocol/list-refs.ts'
import { type RefUpdate, pushRequest, readPushReport } from './protocol/push.ts'
import { readPackets } from './protocol/pkt-line.ts'
import type { Transport } from './transport/transport.ts'

/** A repository as its server shows it. */
export interface Remote {
  /** Refs that start with one of `prefixes`; the empty prefix gives all. One request, once the abilities of the server are known. */
  refs(prefixes: readonly string[], call: Call): Promise<readonly RemoteRef[]>
  /** Fetches; `use` reads the pack. What the server cannot leave out, it sends. */
  fetch<T>(request: FetchRequest, use: (answer: FetchAnswer) => Promise<T>, call: Call): Promise<T>
  canFilter(call: Call): Promise<boolean>
  /** Whether any commit can be asked for, and not only those that refs lead to. */
  givesAnyCommit(call: Call): Promise<boolean>
  /** All refs as the side that takes pushes has them. */
  refsForWriting(call: Call): Promise<readonly RemoteRef[]>
  /** Moves a ref if it is where the update says. Gives the reason of the server when it does not. */
  push(update: RefUpdate, pack: Buffer, call: Call): Promise<string | undefined>
  [Symbol.asyncDispose](): Promise<void>
}

/** Speaks the Git protocol over `transport`; remembers what the server can do. */
export function createRemote(transport: Transport, limits: GitLimits): Remote {
  let known: Advertisement | undefined
  const greet = (call: Call): Promise<Advertisement> =>
    readAdvertisement(readPackets(transport.greet('git-upload-pack', call)), limits)
  const abilities = async (call: Call): Promise<Advertisement> => (known ??= await greet(call))
  return {
    refs: (prefixes, call) =>
      forgetOnConfusion(
        () => (known = undefined),
        async () => {
          if (known?.version !== 2) known = await greet(call)
          if (known.version === 1) return matching(known.refs, prefixes)
          const body = listRefsRequest(known, prefixes)
          return readRefs(readPackets(transport.exchange('git-upload-pack', body, call)), limits)
        },
      ),
    fetch: (request, use, call) =>
      forgetOnConfusion(
        () => (known = undefined),
        async () => {
          const server = await abilities(call)
          const packets = readPackets(transport.exchange('git-upload-pack', fetchRequest(server, request), call))
          try {
            return await use(await readFetchAnswer(packets, server, request))
          } finally {
            await packets.return()
          }
        },
      ),
    canFilter: async (call) => canFilter(await abilities(call)),
    givesAnyCommit: async (call) => (await abilities(call)).version === 2,
    refsForWriting: async (call) => {
      const { refs } = await readAdvertisement(readPackets(transport.greet('git-receive-pack', call)), limits)
      return refs
    },
    push: (update, pack, call) => {
      const answer = transport.exchange('git-receive-pack', pushRequest(update, pack), call)
      return readPushReport(readPackets(answer), update.ref)
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

/** A server that answers otherwise than it promised may have been replaced: it is greeted again next time. */
async function forgetOnConfusion<T>(forget: () => void, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof GitOpsError && (error.code === 'SOURCE_PROTOCOL' || error.code === 'SOURCE_NOT_FOUND'))
      forget()
    throw error
  }
}

function matching(refs: readonly RemoteRef[], prefixes: readonly string[]): readonly RemoteRef[] {
  return refs.filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)))
}
