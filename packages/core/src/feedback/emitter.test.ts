import { expect, test } from 'vitest'
import type { Clock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { createEmitter } from './emitter.ts'
import type { ApplicationEvent } from './events.ts'

const resumed = (sequence: number): ApplicationEvent => ({
  type: 'resumed',
  application: 'shop',
  sequence,
  at: 0,
  by: 'ada',
})

function parts() {
  const later: (() => void)[] = []
  const logged: unknown[][] = []
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    setTimer: (_delayMs, run) => {
      later.push(run)
      return { cancel: () => {} }
    },
  }
  const log = { ...silentLog, error: (...args: unknown[]) => void logged.push(args) }
  return { emitter: createEmitter({ clock, log }), later, logged }
}

test('a listener receives only events of its type, with the type of that event', () => {
  const { emitter } = parts()
  const seen: string[] = []
  emitter.on('resumed', ({ by }) => void seen.push(by))
  emitter.on('suspended', ({ suspension }) => void seen.push(suspension.by))
  emitter.emit(resumed(1))
  expect(seen).toEqual(['ada'])
})

test('a listener of every event receives each once, after the listeners of its type', () => {
  const { emitter } = parts()
  const seen: string[] = []
  emitter.onAny((event) => void seen.push(`any ${event.sequence}`))
  emitter.on('resumed', (event) => void seen.push(`one ${event.sequence}`))
  emitter.emit(resumed(1))
  expect(seen).toEqual(['one 1', 'any 1'])
})

test('a listener that throws or rejects harms nobody and is reported once', async () => {
  const { emitter, logged } = parts()
  let reached = 0
  emitter.on('resumed', () => {
    throw new Error('thrown')
  })
  emitter.on('resumed', async () => {
    throw new Error('rejected')
  })
  emitter.on('resumed', () => void reached++)
  for (let sequence = 1; sequence <= 3; sequence++) emitter.emit(resumed(sequence))
  await Promise.resolve()
  await Promise.resolve()
  expect(reached).toBe(3)
  expect(logged).toHaveLength(2)
})

test('a listener that is taken away while an event is told is not called for it', () => {
  const { emitter } = parts()
  let called = 0
  emitter.on('resumed', () => stop())
  const stop = emitter.on('resumed', () => void called++)
  emitter.emit(resumed(1))
  emitter.emit(resumed(2))
  stop()
  expect(called).toBe(0)
})

test('a listener that is added while an event is told is called from the next one on', () => {
  const { emitter } = parts()
  const seen: number[] = []
  const stop = emitter.on('resumed', () => {
    stop()
    emitter.on('resumed', (event) => void seen.push(event.sequence))
  })
  emitter.emit(resumed(1))
  emitter.emit(resumed(2))
  expect(seen).toEqual([2])
})

test('events that a listener causes are told afterwards, in order', () => {
  const { emitter } = parts()
  const seen: number[] = []
  emitter.on('resumed', (event) => {
    if (event.sequence === 1) emitter.emit(resumed(2))
  })
  emitter.on('resumed', (event) => void seen.push(event.sequence))
  emitter.emit(resumed(1))
  expect(seen).toEqual([1, 2])
})

test('listeners that answer each other for ever neither exhaust the stack nor block the process', () => {
  const { emitter, later } = parts()
  let told = 0
  emitter.on('resumed', (event) => {
    told++
    emitter.emit(resumed(event.sequence + 1))
  })
  emitter.emit(resumed(1))
  expect(told).toBe(1_000)
  later.shift()?.()
  expect(told).toBe(2_000)
})

test('after clear nobody is called', () => {
  const { emitter } = parts()
  let called = 0
  emitter.on('resumed', () => void called++)
  emitter.onAny(() => void called++)
  emitter.clear()
  emitter.emit(resumed(1))
  expect(called).toBe(0)
})
