import { expect, test } from 'vitest'
import { abortable, asTheySettle, eachAtOnce } from './settle.ts'

/** Work that ends when it is told to. */
function work(count: number) {
  const begun: number[] = []
  const end = new Map<number, (result: string) => void>()
  const run = (index: number): Promise<string> => {
    begun.push(index)
    return new Promise((resolve) => void end.set(index, resolve))
  }
  const items = Array.from({ length: count }, (_, index) => index)
  return { begun, run, items, end: (index: number, result: string) => end.get(index)!(result) }
}

test('results come as they settle, and no more is under way or waiting to be taken than was allowed', async () => {
  const { begun, end, run, items } = work(4)
  const results = asTheySettle(items, 2, run)[Symbol.asyncIterator]()
  const first = results.next()
  end(1, 'b')
  expect(await first).toEqual({ done: false, value: 'b' })
  expect(begun).toEqual([0, 1])
  const second = results.next()
  end(0, 'a')
  expect(await second).toEqual({ done: false, value: 'a' })
  expect(begun).toEqual([0, 1, 2])
  const third = results.next()
  expect(begun).toEqual([0, 1, 2, 3])
  end(3, 'd')
  end(2, 'c')
  expect([await third, await results.next(), await results.next()]).toEqual([
    { done: false, value: 'd' },
    { done: false, value: 'c' },
    { done: true, value: undefined },
  ])
})

test('work that fails all the same is not swallowed', async () => {
  const results = asTheySettle([1], 1, () => Promise.reject(new Error('broken')))
  await expect(results[Symbol.asyncIterator]().next()).rejects.toThrow('broken')
})

test('of waits that end with a signal, those under way are rejected at once, and so is every later one', async () => {
  const controller = new AbortController()
  const waits = abortable(controller.signal)
  const never = waits.until(new Promise(() => {}))
  await expect(waits.until(Promise.resolve('there'))).resolves.toBe('there')
  controller.abort()
  await expect(never).rejects.toMatchObject({ code: 'CANCELLED' })
  await expect(waits.until(Promise.resolve('late'))).rejects.toMatchObject({ code: 'CANCELLED' })
})

test('work side by side goes on in turn, a failure ends the wait, and nothing begins once it is over', async () => {
  const { begun, end, run, items } = work(4)
  let over = false
  const all = eachAtOnce(
    items,
    2,
    async (item) => void (await run(item)),
    () => over,
  )
  end(1, 'b')
  await new Promise(setImmediate)
  expect(begun).toEqual([0, 1, 2])
  over = true
  end(0, 'a')
  end(2, 'c')
  await all
  expect(begun).toEqual([0, 1, 2])
  await expect(
    eachAtOnce(
      [1],
      1,
      () => Promise.reject(new Error('broken')),
      () => false,
    ),
  ).rejects.toThrow('broken')
})
