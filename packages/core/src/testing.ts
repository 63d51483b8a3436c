export { type ManualClock, manualClock } from './testing/clock.ts'
export { type TestCall, testCall } from './testing/call.ts'
export { type LiveResource, type MemorySystem, memorySystem } from './testing/memory-system.ts'
export {
  type MemoryCounts,
  type MemoryOperation,
  type MemoryTarget,
  type MemoryTargetOptions,
  memoryTarget,
} from './testing/memory-target.ts'
export { type LedgerConformance, testLedgerConformance } from './testing/ledger-conformance.ts'
export { type QueueConformance, type QueueStore, testQueueConformance } from './testing/queue-conformance.ts'
export { outages, patientLedger } from './testing/patient.ts'
export {
  type Fault,
  type FaultPoint,
  type FaultSchedule,
  randomFaults,
  scheduledFaults,
  withFaults,
} from './testing/faults.ts'
export { type Files, type SourceConformance, testSourceConformance } from './testing/source-conformance.ts'
export { type TargetConformance, testTargetConformance } from './testing/target-conformance.ts'
export { type SimulationOptions, type SimulationResult, simulate } from './testing/simulate/simulate.ts'
export {
  type StoreSimulation,
  type StoreSimulationResult,
  simulateStore,
} from './testing/simulate-store/simulate-store.ts'
export type { Store } from './testing/simulate-store/store.ts'
export { type StoreBug, storeBugs } from './testing/simulate-store/world.ts'
export type { FaultMix } from './testing/simulate/world.ts'
export type { Violation } from './testing/simulate/checks.ts'
