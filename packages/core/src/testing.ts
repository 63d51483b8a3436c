export { type ManualClock, manualClock } from './testing/clock.ts'
export { type TestCall, testCall } from './testing/call.ts'
