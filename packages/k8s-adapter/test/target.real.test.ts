import { startControlPlane } from '../src/testing.ts'
import { targetStories } from './target-stories.ts'

targetStories(() => startControlPlane({ users: [{ name: 'limited' }] }))
