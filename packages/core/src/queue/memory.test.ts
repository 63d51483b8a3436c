import { describe, test } from 'vitest'
import { memoryLedger } from '../ledger/memory.ts'
import { seededRandom } from '../runtime/random.ts'
import { manualClock } from '../testing/clock.ts'
import { outages, patientLedger } from '../testing/patient.ts'
import { type QueueStore, testQueueConformance } from '../testing/queue-conformance.ts'
import { memoryQueue } from './memory.ts'

function createStore(): QueueStore {
  const clock = manualClock()
  const queue = memoryQueue({ clock })
  return { ledger: { ...memoryLedger({ queue }), queue }, advance: (durationMs) => clock.advance(durationMs) }
}

describe('the queue in memory is a queue', () => {
  testQueueConformance({ test, createStore })
})

describe('so it is for whoever asks again after an outage or a lost answer', () => {
  testQueueConformance({
    test,
    createStore: () => {
      const store = createStore()
      return { ...store, ledger: patientLedger(store.ledger, outages(seededRandom(7), 0.4)) }
    },
  })
})
