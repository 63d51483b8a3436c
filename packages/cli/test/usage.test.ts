import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ExitCode, type Io, runCli } from '@gitops-sdk/cli'
import { createReconciler, memorySource } from '@gitops-sdk/core'
import { memoryTarget } from '@gitops-sdk/core/testing'
import { expect, test } from 'vitest'
import { barText, createProgressLine } from '../src/progress.ts'

async function run(cwd: string, ...args: readonly string[]): Promise<{ code: ExitCode; out: string; err: string }> {
  const written = { out: '', err: '' }
  const code = await runCli(args, {
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
    cwd,
    colour: false,
    progress: false,
    signal: new AbortController().signal,
    user: 'ada',
  })
  return { code, ...written }
}

async function withConfig<T>(text: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gitops-config-'))
  try {
    await writeFile(join(folder, 'gitops.config.mjs'), text)
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const wrong: readonly (readonly [string, readonly string[], string, string])[] = [
  ['a command that is not there', ['aply'], '', 'There is no command "aply". There are: plan, diff'],
  ['an option that is not there', ['plan', '--forse'], '', "Unknown option '--forse'"],
  ['no configuration', ['plan', '--config', 'other.ts'], '', 'There is no other.ts in'],
  [
    'a configuration without a default export',
    ['plan'],
    'export const x = 1',
    'no configuration as its default export',
  ],
  ['a configuration that throws', ['plan'], 'throw new Error("no token")', 'cannot be loaded: no token'],
  [
    'an application that is not there',
    ['plan', 'shop'],
    'export default { applications: [] }',
    'There is no application "shop"',
  ],
  ['a rollback to nothing', ['rollback', 'shop'], '', 'Write: gitops rollback <application> <revision>'],
  ['a shell nobody knows', ['completion', 'tcsh'], '', 'There is no completion for "tcsh": bash, zsh or fish.'],
]

test.each(wrong)('%s ends with 1 and says what is allowed', async (_, args, config, message) => {
  const ran = await withConfig(config, (folder) => run(folder, ...args))
  expect(ran).toMatchObject({ code: 1, out: '' })
  expect(ran.err).toContain(message)
  expect(ran.err).toContain('CONFIG_INVALID'.slice(0, ran.err.includes('APPLICATION_UNKNOWN') ? 0 : undefined))
})

test('an error is JSON where JSON was asked for', async () => {
  const ran = await withConfig('', (folder) => run(folder, 'plan', '--json'))
  expect(JSON.parse(ran.out)).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
  expect(ran.err).toBe('')
})

test('every command says what it does, and the overview says what the exit codes mean', async () => {
  const overview = await run('/', '--help')
  expect(overview.out).toContain('0 well, 1 failed, 2 drift or pending changes, 3 a wait took too long')
  for (const name of ['plan', 'diff', 'apply', 'watch', 'status', 'explain', 'history', 'rollback', 'approve']) {
    expect(overview.out).toContain(`  ${name} `)
    expect((await run('/', name, '--help')).out).toContain(`gitops ${name} `)
  }
})

test('says its version', async () => {
  expect(await run('/', '--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
})

test('bash completes commands, and the options of the command that is there', async () => {
  const { out: script } = await run('/', 'completion', 'bash')
  const complete = (...words: readonly string[]): string[] => {
    const line = `COMP_WORDS=(${words.join(' ')} ''); COMP_CWORD=${words.length}; _gitops; echo "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', `${script}\n${line}`], { encoding: 'utf8' })
      .trim()
      .split(' ')
  }
  expect(complete('gitops')).toEqual(expect.arrayContaining(['plan', 'rollback', 'completion']))
  expect(complete('gitops', 'apply')).toEqual(expect.arrayContaining(['--wait', '--timeout', '--json']))
  expect(complete('gitops', 'completion')).toEqual(['bash', 'zsh', 'fish'])
})

const bars = [
  [{ activity: 'receiving', done: 0, unit: 'objects' }, 'receiving: 0 objects'],
  [
    { activity: 'applying', done: 1, total: 2, unit: 'resources' },
    `applying [${'#'.repeat(12)}${' '.repeat(12)}] 1 of 2 resources`,
  ],
  [{ activity: 'applying', done: 3, total: 2, unit: 'resources' }, `applying [${'#'.repeat(24)}] 3 of 2 resources`],
] as const

test.each(bars)('%j is drawn as %s', (progress, text) => expect(barText(progress)).toBe(text))

test.each([
  [
    true,
    [
      'shop is being read',
      'shop is being compared',
      `shop changing [${'#'.repeat(12)}${' '.repeat(12)}] 1 of 2 changes`,
    ],
  ],
  [false, []],
])('what is being done is one line on a terminal (%j) that makes way for the result', async (progress, lines) => {
  const written: string[] = []
  const write = (text: string): void => void written.push(text)
  const signal = new AbortController().signal
  const io: Io = { out: write, err: write, cwd: '.', colour: false, progress, signal, user: 'ada' }
  const source = memorySource({ files: { 'thing/a.json': '{ "size": 1 }', 'thing/b.json': '{ "size": 2 }' } })
  await using reconciler = createReconciler({ applications: [{ name: 'shop', source, target: memoryTarget() }] })
  const line = createProgressLine(io)
  const unfollow = line.follow(reconciler)
  await reconciler.reconcile('shop')
  line.io.out('done\n')
  unfollow()
  const drawn = written.filter((text) => text.startsWith('\r\u001b[K') && text.length > 4).map((text) => text.slice(4))
  expect(drawn).toEqual(expect.arrayContaining(lines))
  expect(written.slice(-2)).toEqual(progress ? ['\r\u001b[K', 'done\n'] : ['done\n'])
})
