import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCall, createRedactor } from '@gitops-sdk/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CommandEnd, PlanJson } from '../src/index.ts'
import { failureOf } from '../src/cli/diagnostics.ts'
import { checkEnvironment, environmentOf } from '../src/cli/environment.ts'
import { processCli } from '../src/cli/process.ts'
import { learnSecrets } from '../src/observe/secrets.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'hostile-output-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function program(name: string, script: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o700)
  return path
}

const call = createCall()
const command = { args: ['show'], environment: { PATH: process.env['PATH'] ?? '' }, graceMs: 1_000 }

describe('T06: what the binary says is bounded', () => {
  test('a plan without an end is ended, whatever else the binary does', async () => {
    for (const stream of ['', ' >&2']) {
      const cli = processCli(
        program('flood', `trap '' INT TERM; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx${stream}; done`),
        {
          maxOutputBytes: 100_000,
        },
      )
      const run = cli.run({ ...command, folder, streams: 'memory' }, call)
      await expect(run).rejects.toMatchObject({ code: 'DECLARATION_LIMIT', details: { limit: 'maxOutputBytes' } })
    }
  })

  const writing = { ...command, graceMs: 60_000 }
  const limits = { maxOutputBytes: 100_000 }

  test('a command that floods its files is interrupted once, and what it then says of itself is kept', async () => {
    for (const stream of ['', ' >&2']) {
      const flood = `trap 'echo saved; exit 3' INT; head -c 150000 /dev/zero${stream}; while :; do sleep 0.1; done`
      const run = processCli(program('polite', flood), limits).run({ ...writing, folder, streams: { folder } }, call)
      const end = await run
      expect(end).toMatchObject({ exitCode: 3, stopped: true, excess: { code: 'DECLARATION_LIMIT' } })
      expect(end.stdout).toMatch(/saved\n$/)
      expect(failureOf('Planning shop', end, 'PLAN_INCOMPLETE')).toBe(end.excess)
    }
  })

  test('one that floods them and hears nothing is ended by force at twice as much, long before its grace is over', async () => {
    const flood = "trap '' INT TERM; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done"
    const run = processCli(program('deaf', flood), limits).run({ ...writing, folder, streams: { folder } }, call)
    expect(await run).toMatchObject({ exitCode: null, excess: { details: { limit: 'maxOutputBytes' } } })
  })

  test('a complaint is cut, and steers no terminal', () => {
    const line = (summary: string, detail: string): string =>
      JSON.stringify({ '@level': 'error', type: 'diagnostic', diagnostic: { severity: 'error', summary, detail } })
    const end = (stdout: string, stderr = ''): CommandEnd => ({ exitCode: 1, stdout, stderr, stopped: false })
    const hostile = `\u001b]0;title\u0007\u001b[2J\u001b[31m${'x'.repeat(100_000)}`
    for (const each of [end(`${line(hostile, hostile)}\n`), end('', hostile)]) {
      const error = failureOf('Planning shop', each, 'PLAN_INCOMPLETE')
      expect(JSON.stringify(error).length).toBeLessThan(5_000)
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      expect(error.message).not.toMatch(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f]/)
    }
  })

  test('a secret that a mask of the plan tells of is taken out of everything that is said later', () => {
    const redactor = createRedactor([])
    const plan: PlanJson = {
      resource_changes: [
        {
          address: 'a.b',
          mode: 'managed',
          type: 'a',
          change: {
            actions: ['update'],
            before: { list: [{ password: 'hunter2-before' }] },
            after: { list: [{ password: 'hunter2-after' }] },
            before_sensitive: { list: [{ password: true }] },
            after_sensitive: { list: true },
          },
        },
      ],
      output_changes: { token: { actions: ['create'], after: 'hunter2-output', after_sensitive: true } },
      variables: { key: { value: 'hunter2-variable' } },
      configuration: { root_module: { variables: { key: { sensitive: true } } } },
    }
    learnSecrets(plan, redactor)
    const quoted = 'the provider quotes hunter2-before, hunter2-after, hunter2-output and hunter2-variable'
    expect(redactor.text(quoted)).not.toContain('hunter2')
  })
})

test('T03: nothing of the environment is inherited that steers the binary, and the options take no such thing', () => {
  const hostile = [
    'TF_CLI_ARGS',
    'TF_REATTACH_PROVIDERS',
    'TF_CLI_CONFIG_FILE',
    'GIT_SSH_COMMAND',
    'LD_PRELOAD',
    'TF_LOG',
  ]
  const before = { ...process.env }
  try {
    for (const name of hostile) process.env[name] = 'hostile'
    const environment = environmentOf({ home: '/home', config: '/config', workspace: 'default', given: {} })
    expect(Object.values(environment)).not.toContain('hostile')
    expect(environment).toMatchObject({ HOME: '/home', TF_CLI_CONFIG_FILE: '/config' })
  } finally {
    for (const name of hostile) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  }
  for (const name of ['TF_CLI_ARGS', 'TF_CLI_ARGS_plan', 'TF_CLI_CONFIG_FILE', 'LD_PRELOAD', 'A B'])
    expect(() => checkEnvironment({ [name]: 'x' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
