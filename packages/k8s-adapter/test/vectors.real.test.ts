import { startControlPlane } from '../src/testing.ts'
import { checkVectors } from './vectors/check.ts'

// No controller of workloads: it would write between two questions, sooner or later as the machine is busy.
checkVectors(() => startControlPlane({ users: [{ name: 'limited' }], controllers: ['namespace', 'garbage-collector'] }))
