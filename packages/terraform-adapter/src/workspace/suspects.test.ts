import { expect, test } from 'vitest'
import { type RunFacts, suspectsIn } from './suspects.ts'

const line = (type: string, action: string, id?: string): string =>
  `{"@level":"info","type":"${type}","hook":{"resource":{"addr":"x.a"},"action":"${action}"${id === undefined ? '' : `,"id_key":"id","id_value":"${id}"`}}}`
const lost =
  '{"@level":"error","type":"diagnostic","diagnostic":{"severity":"error","summary":"Plugin did not respond"}}'
const begun = line('apply_start', 'create')
const failed = line('apply_errored', 'create')
const saved = (id: string, status?: string): RunFacts['saved'] =>
  new Map([['x.a', { attributes: { id }, ...(status !== undefined && { status }) }]])

interface Row {
  readonly why: string
  readonly lines: readonly string[]
  readonly facts?: Partial<RunFacts>
  readonly suspect: boolean
}

const rows: readonly Row[] = [
  { why: 'a creation under way may have happened', lines: [begun], suspect: true },
  { why: 'what the state holds is known', lines: [begun], facts: { saved: saved('1') }, suspect: false },
  { why: 'the provider said that it failed', lines: [begun, failed], suspect: false },
  {
    why: 'a provider that gave up waiting does not know',
    lines: [begun, failed],
    facts: { stopped: true },
    suspect: true,
  },
  { why: 'a provider that is gone said nothing', lines: [begun, failed, lost], suspect: true },
  { why: 'it was made, and never saved', lines: [begun, line('apply_complete', 'create', '1')], suspect: true },
  {
    why: 'it was made and saved',
    lines: [begun, line('apply_complete', 'create', '1')],
    facts: { saved: saved('1') },
    suspect: false,
  },
  {
    why: 'the state still holds the one before',
    lines: [begun, line('apply_complete', 'create', '2')],
    facts: { saved: saved('1') },
    suspect: true,
  },
  {
    why: 'a replacement under way, and the state holds the one before',
    lines: [begun],
    facts: { saved: saved('1'), replaced: ['x.a'] },
    suspect: true,
  },
  {
    why: 'a replacement that failed half-way is in the state as tainted',
    lines: [begun, failed],
    facts: { saved: saved('2', 'tainted'), replaced: ['x.a'], stopped: true },
    suspect: false,
  },
  { why: 'an update can be made again', lines: [line('apply_start', 'update')], suspect: false },
  { why: 'a deletion can be made again', lines: [line('apply_start', 'delete')], suspect: false },
  { why: 'a line that is no message says nothing', lines: ['Enter a value:', '{"@level"'], suspect: false },
]

test.each(rows)('$why', ({ lines, facts, suspect }) => {
  const found = suspectsIn(lines, { saved: new Map(), stopped: false, replaced: [], ...facts })
  expect(found.map(({ ref }) => ref)).toEqual(suspect ? [{ kind: 'x', name: 'a' }] : [])
})

test('what was made is named by the id it was given', () => {
  const [found] = suspectsIn([begun, line('apply_complete', 'create', 'i-7')], {
    saved: new Map(),
    stopped: false,
    replaced: [],
  })
  expect(found).toMatchObject({ id: 'i-7', reason: expect.stringContaining('i-7') })
})
