import { type Call, GitOpsError, createCall } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { together } from './together.ts'

const call = createCall()

/** Transactions that wait until they are let go, and what each was asked to do. */
function gate(answer: (names: readonly string[]) => readonly (number | GitOpsError)[] = (names) => names.map(() => 1)) {
  const transactions: string[][] = []
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  const commit = together<{ application: string; call: Call }, number>(async (asked) => {
    const names = asked.map(({ application }) => application)
    transactions.push(names)
    await opened
    return answer(names)
  })
  return {
    transactions,
    open: () => open(),
    commit: (application: string, by = call) => commit({ application, call: by }),
  }
}

test('a commit that comes alone does not wait, and those that come meanwhile are made together', async () => {
  const { transactions, open, commit } = gate()
  const commits = ['a', 'b', 'c', 'd'].map((name) => commit(name))
  expect(transactions).toEqual([['a'], ['b']])
  open()
  await expect(Promise.all(commits)).resolves.toEqual([1, 1, 1, 1])
  expect(transactions).toEqual([['a'], ['b'], ['c', 'd']])
})

test('two commits of one application are never in one transaction', async () => {
  const { transactions, open, commit } = gate()
  const commits = ['a', 'b', 'c', 'c'].map((name) => commit(name))
  open()
  await Promise.all(commits)
  expect(transactions).toEqual([['a'], ['b'], ['c'], ['c']])
})

test('what nobody waits for any more is not made', async () => {
  const { transactions, open, commit } = gate()
  const controller = new AbortController()
  const first = [commit('a'), commit('b')]
  const late = commit('c', { ...call, signal: controller.signal })
  controller.abort()
  open()
  await Promise.all(first)
  await expect(late).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(transactions).toEqual([['a'], ['b']])
})

const refusals = [
  { why: 'its claim is over', error: new GitOpsError('LEDGER_FENCED', 'over') },
  { why: 'PostgreSQL refuses a value', error: failure({ code: '22P05' }) },
  { why: 'SQLite refuses a row', error: failure({ errcode: 2067 }) },
]

test.each(refusals)('of commits made together one that cannot be is refused alone: $why', async ({ error }) => {
  const { transactions, open, commit } = gate((names) => {
    if (names.includes('bad')) throw error
    return names.map(() => 1)
  })
  const commits = ['a', 'b', 'c', 'bad', 'd'].map((name) => commit(name))
  const settled = Promise.allSettled(commits)
  open()
  expect((await settled).map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
  expect(transactions.slice(2)).toEqual([['c', 'bad', 'd'], ['c'], ['bad'], ['d']])
})

test('one that is answered with an error is refused alone', async () => {
  const { open, commit } = gate((names) => names.map((name) => (name === 'c' ? failure({}) : 1)))
  const settled = Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => commit(name)))
  open()
  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})

test('a transaction of which nobody knows what became is not made again', async () => {
  const { transactions, open, commit } = gate((names) => {
    if (names.length > 1) throw failure({ code: 'ECONNRESET' })
    return names.map(() => 1)
  })
  const commits = ['a', 'b', 'c', 'd'].map((name) => commit(name))
  const settled = Promise.allSettled(commits)
  open()
  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected'])
  expect(transactions).toHaveLength(3)
})

function failure(cause: object): GitOpsError {
  return new GitOpsError('LEDGER_UNAVAILABLE', 'failed', { cause })
}
