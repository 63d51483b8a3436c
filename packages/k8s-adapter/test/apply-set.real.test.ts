import { startControlPlane } from '../src/testing.ts'
import { applySetStories } from './apply-set-stories.ts'

applySetStories(() => startControlPlane({ controllers: ['namespace'] }), 4)
