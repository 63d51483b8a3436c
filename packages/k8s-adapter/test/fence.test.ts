import { memoryApiServer } from '../src/testing.ts'
import { fenceStories } from './fence-stories.ts'

fenceStories(() => memoryApiServer())
