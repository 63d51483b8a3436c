import { expect, test } from 'vitest'
import { createWorld } from './world.ts'

const checkout = (rollout: number) => ({ 'checkout.yaml': `flag: checkout\nenabled: true\nrollout: ${rollout}\n` })

test('plan shows what would be done, writes nothing and ends with 2; after an apply it ends with 0', async () => {
  await using world = await createWorld()
  await world.repository.commit(checkout(25))
  const before = await world.gitops('plan')
  expect(before).toMatchObject({ code: 2, err: '' })
  expect(before.out).toContain('+ create flag checkout')
  await expect(world.read('checkout')).rejects.toMatchObject({ code: 'ENOENT' })

  const applied = await world.gitops('apply', '--wait')
  expect(applied).toMatchObject({ code: 0, err: '' })
  expect(applied.out).toContain('flags: applied')
  expect(await world.read('checkout')).toEqual({ enabled: true, rollout: 25, managedBy: 'flags' })

  expect(await world.gitops('plan')).toMatchObject({ code: 0 })
  expect(await world.gitops('apply')).toMatchObject({ code: 0, out: 'flags: unchanged\n' })
})

test('diff, status and explain name a drift, with 2, and nothing is healed by looking', async () => {
  await using world = await createWorld()
  await world.repository.commit(checkout(25))
  await world.gitops('apply')
  expect(await world.gitops('status')).toMatchObject({ code: 0, out: expect.stringMatching(/flags +aligned +healthy/) })

  await world.tamper('checkout', { enabled: true, rollout: 100, managedBy: 'flags' })
  const diff = await world.gitops('diff')
  expect(diff.code).toBe(2)
  expect(diff.out).toContain('- /rollout: 100\n+ /rollout: 25')
  expect(diff.out).toContain('checkout.yaml')
  expect(await world.gitops('status')).toMatchObject({
    code: 2,
    out: expect.stringMatching(/drifted +healthy .*1 drift/),
  })
  const explained = await world.gitops('explain', 'flags')
  expect(explained).toMatchObject({ code: 2, out: expect.stringContaining('was changed outside of its source') })
  expect(await world.read('checkout')).toMatchObject({ rollout: 100 })
})

test('a source that cannot be read is a failure with its code and the next step, never "aligned"', async () => {
  await using world = await createWorld()
  const status = await world.gitops('status', '--json')
  expect(status.code).toBe(1)
  expect(JSON.parse(status.out)).toMatchObject([{ alignment: 'unknown', error: { code: 'SOURCE_EMPTY' } }])
  const plan = await world.gitops('plan')
  expect(plan).toMatchObject({ code: 1, out: '' })
  expect(plan.err).toContain('(SOURCE_EMPTY)\nMake a first commit')
})

test('an approval is for exactly one plan: another fingerprint is refused, the right one is applied by its name', async () => {
  await using world = await createWorld('approve')
  await world.repository.commit(checkout(25))
  const waiting = await world.gitops('apply')
  expect(waiting).toMatchObject({ code: 2, out: expect.stringContaining('flags: blocked') })
  const [{ fingerprint }] = JSON.parse((await world.gitops('plan', '--json')).out)
  expect(await world.gitops('explain')).toMatchObject({
    code: 2,
    out: expect.stringContaining(`approve ${fingerprint}`),
  })

  const wrong = await world.gitops('approve', 'flags', 'something-else')
  expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('APPROVAL_MISMATCH') })
  await expect(world.read('checkout')).rejects.toMatchObject({ code: 'ENOENT' })

  expect(await world.gitops('approve', 'flags', fingerprint, '--note', 'looked at it')).toMatchObject({
    code: 0,
    out: expect.stringContaining('flags: applied'),
  })
  expect(await world.read('checkout')).toMatchObject({ rollout: 25 })
  const history = JSON.parse((await world.gitops('history', '--json')).out)
  expect(history[0]).toMatchObject({ outcome: 'applied', approvedBy: 'ada' })
})

test('a wait that is in vain ends with 3 and says what it waited for', async () => {
  await using world = await createWorld('approve')
  await world.repository.commit(checkout(25))
  const ran = await world.gitops('apply', '--wait', '--timeout', '0.05')
  expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('DEADLINE_EXCEEDED') })
})

test('history lists the runs, and a rollback brings the earlier revision back in the target and in the source', async () => {
  await using world = await createWorld()
  const good = await world.repository.commit(checkout(25))
  await world.gitops('apply')
  const bad = await world.repository.commit(checkout(100))
  await world.gitops('apply')
  const history = await world.gitops('history')
  expect(history.out.split('\n')[0]).toContain(bad.slice(0, 12))
  expect(history.out.split('\n')[1]).toContain(good.slice(0, 12))

  const rolledBack = await world.gitops('rollback', 'flags', good.slice(0, 8), '--reason', 'too many complaints')
  expect(rolledBack).toMatchObject({ code: 0, out: expect.stringContaining(`to ${good}`) })
  expect(await world.read('checkout')).toMatchObject({ rollout: 25 })
  expect(await world.repository.git('show', 'main:checkout.yaml')).toContain('rollout: 25')
  expect(await world.repository.git('log', '-1', '--format=%B', 'main')).toContain('Asked for by ada')
})

test('a rollback that needs an approval says so and ends with 2 instead of waiting', async () => {
  await using world = await createWorld('approve')
  const approve = async (): Promise<void> => {
    const [{ fingerprint }] = JSON.parse((await world.gitops('plan', '--json')).out)
    await world.gitops('approve', 'flags', fingerprint)
  }
  const good = await world.repository.commit(checkout(25))
  await approve()
  await world.repository.commit(checkout(100))
  await approve()
  const rolledBack = await world.gitops('rollback', 'flags', good, '--timeout', '30')
  expect(rolledBack).toMatchObject({ code: 2, out: expect.stringContaining('flags: blocked — The mode is `approve`') })
  await approve()
  expect(await world.read('checkout')).toMatchObject({ rollout: 25 })
})

test('watch reconciles until it is interrupted, and writes one JSON event a line', async () => {
  await using world = await createWorld()
  await world.repository.commit(checkout(25))
  const ran = await world.gitopsUntil((out) => out.includes('"type":"ready"'), 'watch', '--json')
  const events = ran.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(ran.code).toBe(0)
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['planned', 'applied', 'ready']))
  expect(await world.read('checkout')).toMatchObject({ rollout: 25 })
})

test('export writes everything the ledger holds, one JSON value on each line', async () => {
  await using world = await createWorld()
  await world.repository.commit(checkout(25))
  await world.gitops('apply', '--wait')
  const { code, out } = await world.gitops('export')
  expect(code).toBe(0)
  const lines = out.trimEnd().split('\n')
  const values = lines.map((line): Record<string, unknown> => JSON.parse(line))
  expect(values.map(({ type }) => type)).toEqual(['application', 'resource', 'run', 'audit'])
  expect(values[1]).toMatchObject({ application: 'flags', owned: { ref: { kind: 'flag', name: 'checkout' } } })
  expect(values[2]).toMatchObject({ application: 'flags', outcome: 'applied' })
  const unknown = await world.gitops('export', 'nobody')
  expect(unknown.code).toBe(1)
})

test('nothing that others wrote steers the terminal: not a name, a commit message, or what a system says', async () => {
  await using world = await createWorld()
  const hostile = '\u001b[1A\u001b[2K\u001b]52;c;ZXZpbA==\u0007\u009b8m\u202eevil\r'
  await world.repository.commit({ [`a${hostile}.yaml`]: 'flag: checkout\nenabled: true\nrollout: 1\n' })
  const { repository } = world
  const id = await repository.git('commit-tree', 'main^{tree}', '-p', 'main', '-m', `Fix ${hostile}`)
  await repository.git('update-ref', 'refs/heads/main', id)
  const told = [await world.gitops('plan'), await world.gitops('diff'), await world.gitops('apply', '--wait')]
  const shown = ['history', 'status', 'explain', 'export'].map((name) => world.gitops(name))
  const json = ['plan', 'history', 'status'].map((name) => world.gitops(name, '--json'))
  const all = [...told, ...(await Promise.all(shown)), ...(await Promise.all(json))]
  const text = all.map(({ out, err }) => out + err).join('')
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  expect(text.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)).toBeNull()
  expect(text).toContain('\\u001b[1A')
})
