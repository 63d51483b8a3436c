import { memoryApiServer } from '../src/testing.ts'
import { targetStories } from './target-stories.ts'

targetStories(() => memoryApiServer({ users: [{ name: 'limited' }] }))
