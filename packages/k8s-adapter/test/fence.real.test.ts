import { startControlPlane } from '../src/testing.ts'
import { fenceStories } from './fence-stories.ts'

fenceStories(() => startControlPlane({}))
