import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCall } from '../call.ts'
import { type ToolRun, runTool } from './tool.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'tool-test-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const script = (source: string, more: Partial<ToolRun> = {}): ToolRun => ({
  program: process.execPath,
  options: ['-e', source],
  folder,
  ...more,
})
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('what a tool is given', () => {
  const hostile = ['-destroy', '--help', '-chdir=/', 'a b;id', '$(id)', 'two\nlines', '`id`', "'; DROP"]

  test('T02: operands arrive literally, after --', async () => {
    const print = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))'
    const { stdout } = await runTool(script(print, { operands: hostile }), createCall())
    expect(JSON.parse(text(stdout))).toEqual(hostile)
  })

  test('T02: a NUL character in an argument is refused before anything starts', async () => {
    const run = script('', { operands: ['a\0b'] })
    await expect(runTool(run, createCall())).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('T03: nothing of the environment is inherited but the allow-list', async () => {
    const dangerous = {
      TF_CLI_ARGS: '-auto-approve',
      TF_REATTACH_PROVIDERS: '{}',
      TF_CLI_CONFIG_FILE: '/tmp/evil',
      GIT_SSH_COMMAND: 'id',
      LD_PRELOAD_CANARY: 'x',
      NODE_OPTIONS: '--no-warnings',
      CANARY_SECRET: 'hunter2',
    }
    const before = { ...process.env }
    Object.assign(process.env, dangerous)
    try {
      const print = 'process.stdout.write(JSON.stringify(process.env))'
      const { stdout } = await runTool(script(print, { env: { TF_INPUT: '0' } }), createCall())
      const seen: Record<string, string> = JSON.parse(text(stdout))
      expect(Object.keys(seen).filter((name) => name in dangerous)).toEqual([])
      expect(seen.TF_INPUT).toBe('0')
      expect(seen.HOME).not.toBe(before.HOME)
    } finally {
      for (const name of Object.keys(dangerous)) delete process.env[name]
      Object.assign(process.env, before)
    }
  })

  test('its private folder is there while it runs, for this user only, and gone afterwards', async () => {
    const print = `const s = require('fs').statSync(process.env.HOME); console.log(process.env.HOME + ' ' + (s.mode & 0o777).toString(8))`
    const { stdout } = await runTool(script(print), createCall())
    const [home = '', mode] = text(stdout).trim().split(' ')
    expect(mode).toBe('700')
    expect(existsSync(home)).toBe(false)
  })

  test('a relative program and one that is not there are refused with its name', async () => {
    await expect(runTool({ program: 'node', folder }, createCall())).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const missing = runTool({ program: '/nowhere/tofu', folder }, createCall())
    await expect(missing).rejects.toThrow('/nowhere/tofu could not be started')
  })
})

describe('what a tool may do', () => {
  test('reads its input, answers line by line, and its exit code is for the caller', async () => {
    const lines: string[] = []
    const echo = `process.stdin.pipe(process.stdout); process.stdin.on('end', () => (process.exitCode = 2))`
    const run = script(echo, { input: 'één\r\ntwee\nrest', onLine: (line) => lines.push(line) })
    const result = await runTool(run, createCall())
    expect(result).toMatchObject({ exitCode: 2, signal: null })
    expect(lines).toEqual(['één', 'twee', 'rest'])
  })

  test('T12: more output than allowed ends it, and names the limit', async () => {
    const flood = `setInterval(() => process.stdout.write('x'.repeat(65536)), 0)`
    const run = script(flood, { limits: { stdoutBytes: 100_000 } })
    await expect(runTool(run, createCall())).rejects.toMatchObject({
      code: 'DECLARATION_LIMIT',
      message: expect.stringContaining('limits.stdoutBytes'),
    })
  })

  test('T12: of a flood of complaints the end is kept', async () => {
    const flood = `for (let i = 0; i < 20000; i++) console.error('line ' + i); console.error('the reason')`
    const { stderr } = await runTool(script(flood, { limits: { stderrBytes: 1000 } }), createCall())
    expect(stderr).toMatch(/the reason\n$/)
    expect(stderr.length).toBeLessThan(200_000)
  })

  test('T12: one that says nothing is ended at its deadline, also when it ignores the request', async () => {
    const deaf = `process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`
    const run = script(deaf, { limits: { timeMs: 300, graceMs: 100 } })
    await expect(runTool(run, createCall())).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  })

  test('T12: a child that would survive it is ended with it', async () => {
    const fork = `
      const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
      console.log(child.pid); child.unref(); setTimeout(() => process.exit(0), 50)`
    const { stdout } = await runTool(script(fork), createCall())
    // The signal was sent when the promise resolved; a busy machine may take a moment to carry it out.
    await expect.poll(() => isAlive(Number(text(stdout)))).toBe(false)
  })

  test('T12: a child that left the group does not keep the caller waiting', async () => {
    const leave = `
      const child = require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit', detached: true })
      console.log(child.pid); child.unref(); setTimeout(() => process.exit(0), 50)`
    const { stdout } = await runTool(script(leave), createCall())
    const pid = Number(text(stdout))
    expect(isAlive(pid)).toBe(true)
    process.kill(pid)
  })

  test('an aborted call ends it with the reason of the abort', async () => {
    const controller = new AbortController()
    const run = script(`console.log('up'); setInterval(() => {}, 1000)`, { onLine: () => controller.abort() })
    await expect(runTool(run, createCall({ signal: controller.signal }))).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
