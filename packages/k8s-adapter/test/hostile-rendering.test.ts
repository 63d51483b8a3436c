import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type MemoryFiles, type Renderer, type RunCall, createCall, memorySource } from '@gitops-sdk/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { helmRenderer, kustomizeRenderer } from '../src/index.ts'

// A tool that says that it was started: what is refused must be refused before that.
let folder: string
let program: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostile-rendering-'))
  program = join(folder, 'tool')
  writeFileSync(program, '#!/bin/sh\necho "{apiVersion: v1, kind: ConfigMap, metadata: {name: started}}"\n')
  chmodSync(program, 0o700)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const call: RunCall = { ...createCall(), application: 'shop', inputs: {} }

async function render(renderer: Renderer, files: MemoryFiles, path = ''): Promise<unknown> {
  const source = memorySource({ files })
  const snapshot = await source.snapshot(await source.resolve(call), call)
  return renderer.render({ snapshot, path }, call)
}

interface Member {
  readonly name: string
  readonly type?: string
  readonly mode?: string
  readonly content?: string
  /** Instead of the length of the content. */
  readonly size?: string
}

/** A tar archive, written by hand: no honest program would make these. */
function tar(...members: readonly Member[]): Buffer {
  return Buffer.concat([...members.map(blocks), Buffer.alloc(1024)])
}

function blocks({ name, type = '0', mode = '0000644', content = '', size }: Member): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write(mode, 100)
  header.write(size ?? content.length.toString(8).padStart(11, '0'), 124)
  header.fill(0x20, 148, 156)
  header.write(type, 156)
  if (type === '1' || type === '2') header.write('/etc/passwd', 157)
  header.write('ustar\0' + '00', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)])
}

const chart: MemoryFiles = { 'Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n', 'templates/a.yaml': '' }
const helm = (limits = {}): Renderer => helmRenderer({ program, releaseName: 'x', namespace: 'x', limits })
const packed = (archive: Uint8Array): MemoryFiles => ({ ...chart, 'charts/dependency-1.0.0.tgz': archive })
const inner: Member = { name: 'dependency/Chart.yaml', content: 'name: dependency\n' }

describe('T10, T11: an archive is refused before a tool unpacks it', () => {
  const archives: readonly (readonly [what: string, archive: Uint8Array, says: RegExp])[] = [
    ['a path that climbs', gzipSync(tar(inner, { name: 'dependency/../../x' })), /leads out/],
    ['a path that climbs with the other slash', gzipSync(tar({ name: 'dependency\\..\\..\\x' })), /leads out/],
    ['an absolute path', gzipSync(tar({ name: '/etc/cron.d/x' })), /leads out/],
    ['a path with a drive', gzipSync(tar({ name: 'C:\\x' })), /leads out/],
    [
      'a symbolic link, as Chart.lock',
      gzipSync(tar(inner, { name: 'dependency/Chart.lock', type: '2' })),
      /symbolic link/,
    ],
    ['a hard link', gzipSync(tar({ name: 'dependency/x', type: '1' })), /hard link/],
    ['a device', gzipSync(tar({ name: 'dependency/x', type: '3' })), /device/],
    ['a pipe', gzipSync(tar({ name: 'dependency/x', type: '6' })), /pipe/],
    ['a setuid file', gzipSync(tar({ name: 'dependency/x', mode: '0004755' })), /rights of somebody else/],
    ['a long name that climbs', gzipSync(tar({ name: 'l', type: 'L', content: '../../x\0' }, inner)), /leads out/],
    [
      'an extended name that climbs',
      gzipSync(tar({ name: 'p', type: 'x', content: '14 path=../../x\n' }, inner)),
      /leads out/,
    ],
    [
      'an extended header that moves a link',
      gzipSync(tar({ name: 'p', type: 'x', content: '17 linkpath=/etc\n' }, inner)),
      /linkpath/,
    ],
    ['a size that is none', gzipSync(tar({ name: 'dependency/x', size: '-0000000001' })), /cannot be read/],
    ['a size beyond the end', gzipSync(tar({ name: 'dependency/x', size: '00000077777' })), /cut off/],
    ['something that is no archive', Buffer.from('PK\u0003\u0004'), /no gzip archive/],
    ['a damaged header', gzipSync(Buffer.alloc(1024, 0x31)), /damaged/],
  ]
  test.each(archives)('%s', async (_what, archive, says) => {
    await expect(render(helm(), packed(archive))).rejects.toMatchObject({
      code: 'RENDER_FAILED',
      message: expect.stringMatching(says),
    })
  })

  test('far more than it seems to hold: it is not unpacked beyond the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20))
    await expect(render(helm({ maxBytes: 16 * 2 ** 20 }), packed(bomb))).rejects.toMatchObject({
      code: 'DECLARATION_LIMIT',
    })
  })

  test('more members than allowed', async () => {
    const many = gzipSync(tar(...Array.from({ length: 200 }, (_, index) => ({ name: `dependency/${index}` }))))
    await expect(render(helm({ maxFiles: 100 }), packed(many))).rejects.toMatchObject({ code: 'DECLARATION_LIMIT' })
  })

  test('an honest one is given to the tool', async () => {
    const long = { name: 'l', type: 'L', content: `dependency/${'x'.repeat(120)}\0` }
    const honest = gzipSync(
      tar({ name: 'dependency/', type: '5' }, inner, long, { name: 'dependency/x', content: 'x' }),
    )
    await expect(render(helm(), packed(honest))).resolves.toMatchObject({ documents: [expect.anything()] })
  })

  test('values of a file outside of the snapshot, or of an address, are refused', async () => {
    for (const valueFiles of [['../../../etc/passwd'], ['a/../../b']]) {
      const renderer = helmRenderer({ program, releaseName: 'x', namespace: 'x', valueFiles })
      await expect(render(renderer, chart)).rejects.toMatchObject({ code: 'SOURCE_PATH_UNSAFE' })
    }
    // What looks like an address is a path below the folder, where there is nothing.
    const echo = join(folder, 'echo')
    writeFileSync(echo, '#!/bin/sh\necho "$@" >&2; exit 1\n', { mode: 0o700 })
    const address = helmRenderer({ program: echo, releaseName: 'x', namespace: 'x', valueFiles: ['https://x/y'] })
    await expect(render(address, chart)).rejects.toMatchObject({
      message: expect.stringContaining('--values=/https:/x/y'),
    })
  })
})

describe('a kustomization fetches nothing', () => {
  const remote = 'https://169.254.169.254/latest'
  const hostile: readonly (readonly [what: string, files: MemoryFiles])[] = [
    ['a base', { 'kustomization.yaml': `resources: ['${remote}']\n` }],
    ['a base of Git', { 'kustomization.yaml': 'resources: ["git::ext::sh -c id"]\n' }],
    ['a file of a generator', { 'kustomization.yaml': `configMapGenerator: [{name: x, files: ['a=${remote}']}]\n` }],
    ['a file of secrets', { 'kustomization.yaml': `secretGenerator: [{name: x, envs: ['${remote}']}]\n` }],
    ['an environment file', { 'kustomization.yaml': `configMapGenerator: [{name: x, env: '${remote}'}]\n` }],
    ['a patch', { 'kustomization.yaml': `patches: [{path: '${remote}'}]\n` }],
    ['an OpenAPI schema', { 'kustomization.yaml': `openapi: {path: '${remote}'}\n` }],
    [
      'a generator in a file of its own',
      {
        'kustomization.yaml': 'generators: [g.yaml]\n',
        'g.yaml': `apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\nfiles: ['${remote}']\n`,
      },
    ],
    [
      'a transformer written in place',
      {
        'kustomization.yaml': `transformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: ${remote}\n`,
      },
    ],
    ['a folder outside', { 'kustomization.yaml': 'resources: [../../etc]\n' }],
    ['a chart', { 'kustomization.yaml': 'helmCharts: [{name: x}]\n' }],
  ]
  test.each(hostile)('%s', async (_what, files) => {
    await expect(render(kustomizeRenderer({ program }), files)).rejects.toMatchObject({ code: 'RENDER_FAILED' })
  })

  test('files of the snapshot are given to the tool, whatever they hold', async () => {
    const files = {
      'kustomization.yaml':
        'resources: [a.yaml]\nconfigMapGenerator: [{name: x, files: [key=b.yaml]}]\npatches: [{path: p.json}]\ngenerators: [g.yaml]\n',
      'a.yaml': 'kind: X\nresources: [not-a-path]\n',
      'b.yaml': 'files: [not-a-path]\n',
      'p.json': '[{"op":"remove","path":"/a"}]',
      'g.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\nfiles: [b.yaml]\n',
    }
    await expect(render(kustomizeRenderer({ program }), files)).resolves.toMatchObject({
      documents: [expect.anything()],
    })
  })
})
