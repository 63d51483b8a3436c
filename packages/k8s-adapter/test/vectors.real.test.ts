import { startControlPlane } from '../src/testing.ts'
import { checkVectors } from './vectors/check.ts'

checkVectors(() => startControlPlane({ users: [{ name: 'limited' }] }))
