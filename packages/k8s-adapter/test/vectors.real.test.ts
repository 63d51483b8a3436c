import { startControlPlane } from '../src/testing.ts'
import { checkVectors } from './vectors/check.ts'
import { planeFor } from './vectors/stories.ts'

checkVectors((how) => startControlPlane(planeFor(how)))
