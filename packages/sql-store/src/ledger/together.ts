import { type Call, GitOpsError, throwIfAborted } from '@gitops-sdk/core'

/** What one transaction or statement does at most. */
const MOST = 64
/** How many of them this process has under way at a time. */
const AT_A_TIME = 2

/** Something that is asked for an application. */
export interface Asked {
  readonly application: string
  readonly call: Call
}

interface Waiting<A, R> {
  readonly asked: A
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

/**
 * What is asked while the same is under way for other applications is done together: a statement, or a transaction and its
 * way to the disk, cost the same for one as for many, and thousands that ask at once must not queue up for a connection.
 * What is asked alone does not wait. `make` answers in the order of what it is given; an answer that is an error is for one.
 */
export function together<A extends Asked, R>(
  make: (asked: readonly A[], call: Call) => Promise<readonly (R | GitOpsError)[]>,
): (asked: A) => Promise<R> {
  let waiting: Waiting<A, R>[] = []
  let underWay = 0

  const next = (): void => {
    while (underWay < AT_A_TIME && waiting.length > 0) {
      const taken = firstOfEach(waiting)
      waiting = waiting.filter((each) => !taken.has(each))
      underWay++
      void settle([...taken]).finally(() => {
        underWay--
        next()
      })
    }
  }
  const settle = async (taken: readonly Waiting<A, R>[]): Promise<void> => {
    const wanted = taken.filter(isWanted)
    const [first] = wanted
    if (first === undefined) return
    try {
      // Nobody's signal: what one gives up, the others still wait for.
      const call = { ...first.asked.call, signal: new AbortController().signal }
      const results = await make(
        wanted.map(({ asked }) => asked),
        call,
      )
      for (const [index, each] of wanted.entries()) tell(each, results[index])
    } catch (error) {
      if (wanted.length > 1 && isOfOne(error)) for (const each of wanted) await settle([each])
      else for (const each of wanted) each.reject(error)
    }
  }
  return (asked) =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, resolve, reject })
      next()
    })
}

/** Of each application only the first: a later commit is one of the record that the first leaves. */
function firstOfEach<A extends Asked, R>(waiting: readonly Waiting<A, R>[]): ReadonlySet<Waiting<A, R>> {
  const names = new Set<string>()
  const taken = new Set<Waiting<A, R>>()
  for (const each of waiting) {
    if (taken.size === MOST) break
    if (!names.has(each.asked.application)) taken.add(each)
    names.add(each.asked.application)
  }
  return taken
}

function isWanted<A extends Asked, R>({ asked, reject }: Waiting<A, R>): boolean {
  try {
    throwIfAborted(asked.call)
    return true
  } catch (error) {
    reject(error)
    return false
  }
}

function tell<A, R>({ resolve, reject }: Waiting<A, R>, result: R | GitOpsError | undefined): void {
  if (result === undefined || result instanceof GitOpsError) reject(result)
  else resolve(result)
}

/**
 * Whether all was given up because of one, so that each has to be tried alone: its claim was completed already, or the
 * database refuses a value (SQLSTATE classes 22 data, 23 integrity, 54 limits; SQLite's TOOBIG 18, CONSTRAINT 19 and
 * MISMATCH 20). Whatever else happened would happen to each, or may have happened to all.
 */
function isOfOne(error: unknown): boolean {
  if (!(error instanceof GitOpsError)) return false
  if (error.code === 'LEDGER_FENCED') return true
  const { code, errcode = 0 } = (error.cause ?? {}) as { code?: unknown; errcode?: number }
  if ([18, 19, 20].includes(errcode & 0xff)) return true
  return typeof code === 'string' && /^((22|23|54)[0-9A-Z]{3}|SQLITE_(TOOBIG|CONSTRAINT|MISMATCH).*)$/.test(code)
}
