import { describe, test } from 'vitest'
import { memoryLedger } from '../ledger/memory.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { seededRandom } from '../runtime/random.ts'
import { manualClock } from '../testing/clock.ts'
import { randomFaults } from '../testing/faults.ts'
import { patientLedger } from '../testing/patient.ts'
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

describe('so it is for whoever asks again after an outage', () => {
  const error = new GitOpsError('LEDGER_UNAVAILABLE', 'Not now.')
  testQueueConformance({
    test,
    createStore: () => {
      const store = createStore()
      const schedule = randomFaults(seededRandom(7), 0.4, [{ kind: 'fail', error }])
      return { ...store, ledger: patientLedger(store.ledger, schedule) }
    },
  })
})
