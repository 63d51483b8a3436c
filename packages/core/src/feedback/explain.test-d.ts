import { expectTypeOf } from 'vitest'
import type { Blocker, EventType } from './events.ts'
import type { Explanation } from './explain.ts'
import type { HealthStatus } from './health.ts'
import type { Situation } from './situation.ts'
import type { Alignment } from './state.ts'

// Every way in which an application can be has a situation, and `explanations` is a record over all of them:
// a new alignment, health or blocker without an explanation does not compile.
expectTypeOf<Exclude<Alignment, 'aligned'>>().toExtend<Situation>()
expectTypeOf<`aligned and ${HealthStatus}`>().toExtend<Situation>()
expectTypeOf<`waiting for ${Blocker['kind']}`>().toExtend<Situation>()
expectTypeOf<Explanation['situation']>().toEqualTypeOf<Situation>()
expectTypeOf<Explanation>().toExtend<{ readonly sentence: string; readonly next: string }>()

// Events are past participles, and none is added without being described: `texts` is a record over all of them.
expectTypeOf<'drifted' | 'applied' | 'failed'>().toExtend<EventType>()
