import { memoryApiServer } from '../src/testing.ts'
import { checkVectors } from './vectors/check.ts'

checkVectors(() => memoryApiServer({ users: [{ name: 'limited' }] }))
