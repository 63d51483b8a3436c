import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCall, type JsonObject } from '@gitops-sdk/core'
import { afterEach, expect, test, vi } from 'vitest'
import { httpClient, type HttpClientOptions } from '../src/index.ts'
import { memoryApiServer, startControlPlane } from '../src/testing.ts'

afterEach(() => vi.unstubAllEnvs())

const who = async (connection: HttpClientOptions): Promise<unknown> => {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const { body } = await httpClient(connection).send({ method: 'POST', path, body: {} }, createCall())
  return ((body['status'] as JsonObject)['userInfo'] as JsonObject)['username']
}

test('a cluster that is there already is used when both variables say so, and its users are impersonated', async () => {
  await using server = await memoryApiServer()
  const folder = await mkdtemp(join(tmpdir(), 'gitops-existing-'))
  try {
    await writeFile(join(folder, 'config'), server.kubeConfig)
    vi.stubEnv('USE_EXISTING_CLUSTER', 'true')
    vi.stubEnv('KUBECONFIG', join(folder, 'config'))
    await using plane = await startControlPlane({ users: [{ name: 'ada' }] })
    expect(await who(plane.connection())).toBe('admin')
    expect(await who(plane.connection('ada'))).toBe('ada')
    expect(plane.kubeConfig).toBe(server.kubeConfig)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('without a KUBECONFIG there is nothing to use', async () => {
  vi.stubEnv('USE_EXISTING_CLUSTER', 'true')
  vi.stubEnv('KUBECONFIG', '')
  await expect(startControlPlane()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
