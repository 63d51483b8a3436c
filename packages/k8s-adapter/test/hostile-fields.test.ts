import { expect, test } from 'vitest'
import { follow, project } from '../src/observe/field-set.ts'

// Found by fuzzing: a server, or whatever answers in its place, can write any text into managedFields.
const steps = ['k:', 'k:{', 'k:null', 'k:[]', 'k:{"toString":1}', 'v:', 'v:[', 'i:', 'i:-1', 'i:length', 'x', '']
test.each(steps)('a step of a field set that means nothing leads nowhere: %j', (step) => {
  expect(follow([{ name: 'x' }, 1], step)).toBeUndefined()
  expect(project({ list: [{ name: 'x' }] }, { 'f:list': { [step]: {} } })).toEqual({ 'f:list': {} })
})
