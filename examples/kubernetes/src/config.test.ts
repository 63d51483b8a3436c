import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { memoryApiServer } from '@gitops-sdk/k8s-adapter/testing'
import { expect, test } from 'vitest'

const example = fileURLToPath(new URL('..', import.meta.url))
const cli = join(example, 'node_modules/@gitops-sdk/cli/src/bin.ts')

test('the command line plans, applies and finds nothing left to do, with the configuration of this folder', async () => {
  await using server = await memoryApiServer({ runsWorkloads: true })
  server.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  const folder = await mkdtemp(join(tmpdir(), 'gitops-config-'))
  try {
    for (const name of ['gitops.config.ts', 'manifests', 'package.json'])
      await cp(join(example, name), join(folder, name), { recursive: true })
    await symlink(join(example, 'node_modules'), join(folder, 'node_modules'))
    await writeFile(join(folder, 'kubeconfig.yaml'), server.kubeConfig)
    expect(await gitops(folder, 'plan')).toMatchObject({ code: 2, out: expect.stringContaining('3 to create') })
    expect(await gitops(folder, 'apply')).toMatchObject({ code: 0, out: expect.stringContaining('shop: applied') })
    expect(await gitops(folder, 'plan')).toMatchObject({ code: 0, out: expect.stringContaining('nothing to do') })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 240_000)

function gitops(cwd: string, ...args: readonly string[]): Promise<{ code: number | null; out: string }> {
  const { KUBECONFIG: _, ...env } = process.env
  const node = ['--import', import.meta.resolve('tsx'), '--conditions=@gitops-sdk/source', cli, ...args]
  return new Promise((done) => {
    const child = execFile(process.execPath, node, { cwd, env }, (_error, stdout, stderr) =>
      done({ code: child.exitCode, out: stdout + stderr }),
    )
  })
}
