import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCall } from '@gitops-sdk/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { httpClient } from './http.ts'
import { kubeConfigOptions } from './kubeconfig.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-exec-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const kubeConfig = (exec: object): string =>
  JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [
      { name: 'u', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'login', ...exec } } },
    ],
  })

/** A plugin that writes down each run and what it was told, and answers with the number of the run. */
async function plugin(end?: string): Promise<Record<string, string>> {
  const program = join(folder, 'login')
  const answer = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"run-'$n'"${end ? `,"expirationTimestamp":"${end}"` : ''}}}`
  const lines = [
    '#!/bin/sh',
    `echo "$KUBERNETES_EXEC_INFO $FLAVOUR $*" >> ${folder}/runs`,
    `n=$(wc -l < ${folder}/runs | tr -d ' ')`,
    `echo '${answer}'`,
  ]
  await writeFile(program, `${lines.join('\n')}\n`, { mode: 0o755 })
  return { login: program }
}

const runs = async (): Promise<string[]> => (await readFile(join(folder, 'runs'), 'utf8')).trim().split('\n')

test('a plugin runs once for everyone who waits, and again only when the server refused its token', async () => {
  const { token } = await kubeConfigOptions(kubeConfig({}), { execPrograms: await plugin() })
  const call = createCall()
  const first = await Promise.all(Array.from({ length: 10 }, () => token!(false, call)))
  expect(new Set(first)).toEqual(new Set(['run-1']))
  expect(await token!(false, call)).toBe('run-1')
  expect(await token!(true, call)).toBe('run-2')
  expect(await runs()).toHaveLength(2)
})

test('a token that is about to end is renewed before it does', async () => {
  const { token } = await kubeConfigOptions(kubeConfig({}), { execPrograms: await plugin('2020-01-01T00:00:00Z') })
  const call = createCall()
  expect([await token!(false, call), await token!(false, call)]).toEqual(['run-1', 'run-2'])
})

test('a plugin is told the cluster only when it asks, and never to talk to a person', async () => {
  const exec = { provideClusterInfo: true, args: ['get-token'], env: [{ name: 'FLAVOUR', value: 'vanilla' }] }
  const { token } = await kubeConfigOptions(kubeConfig(exec), { execPrograms: await plugin() })
  await token!(false, createCall())
  const [line] = await runs()
  expect(line).toContain('"interactive":false,"cluster":{"server":"https://127.0.0.1:1"}')
  expect(line).toMatch(/ vanilla get-token$/)
})

test.each([
  ['nothing is allowed', {}, undefined],
  ['another program is allowed', {}, { other: '/bin/true' }],
  ['the name is one that every object has', { command: 'toString' }, {}],
  ['its version is unknown', { apiVersion: 'client.authentication.k8s.io/v9' }, { login: '/bin/true' }],
  ['it needs a person', { interactiveMode: 'Always' }, { login: '/bin/true' }],
])('a plugin is refused when %s', async (_, exec, execPrograms) => {
  const options = kubeConfigOptions(kubeConfig(exec), { ...(execPrograms && { execPrograms }) })
  await expect(options).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('what a failing plugin printed is not repeated', async () => {
  const program = join(folder, 'login')
  await writeFile(program, '#!/bin/sh\necho canary; echo canary >&2\nexit 3\n', { mode: 0o755 })
  const { token } = await kubeConfigOptions(kubeConfig({}), { execPrograms: { login: program } })
  const error: unknown = await token!(false, createCall()).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'TARGET_AUTH' })
  expect(JSON.stringify(error) + String(error)).not.toContain('canary')
})

test.each(['', ' '])('a client that would impersonate %j is refused: it would act with its own rights', (user) => {
  const open = (): unknown => httpClient({ server: 'https://127.0.0.1:1', impersonate: { user } })
  expect(open).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
