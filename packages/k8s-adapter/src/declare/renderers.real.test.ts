import { existsSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createCall,
  createReconciler,
  GitOpsError,
  type MemoryFiles,
  memoryLedger,
  memorySource,
  type Rendered,
  type Renderer,
  type RunCall,
} from '@gitops-sdk/core'
import { describe, expect, test } from 'vitest'
import { kubernetesTarget } from '../target/target.ts'
import { memoryApiServer } from '../testing.ts'
import { httpClient } from '../client/http.ts'
import { helmRenderer, type HelmOptions } from './helm.ts'
import { kustomizeRenderer } from './kustomize.ts'

const installed = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'gitops-sdk', 'renderers', 'current')
const programOf = (name: string, variable: string): string => process.env[variable] || join(installed, name)
const kustomize = programOf('kustomize', 'KUSTOMIZE_BIN')
const helm = programOf('helm', 'HELM_BIN')
const call: RunCall = { ...createCall(), application: 'shop', inputs: {} }

async function render(renderer: Renderer, files: MemoryFiles, path = ''): Promise<Rendered> {
  const source = memorySource({ files })
  return renderer.render({ snapshot: await source.snapshot(await source.resolve(call), call), path }, call)
}

const names = ({ documents }: Rendered): string[] =>
  documents.map(({ body }) => {
    const { kind, metadata } = body as { readonly kind: string; readonly metadata: { readonly name: string } }
    return `${kind} ${metadata.name}`
  })

const errorOf = async (work: Promise<unknown>): Promise<GitOpsError> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(GitOpsError)
  return thrown as GitOpsError
}

/** A server that counts who asks it: nobody may. */
async function listener(): Promise<{ url: string; asked: () => number } & AsyncDisposable> {
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    response.end('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fetched}\n')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/remote.yaml`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

test('the programs are there: `pnpm cluster:install` builds them', () => {
  expect([kustomize, helm].filter((path) => !existsSync(path))).toEqual([])
})

describe('Kustomize', () => {
  const web = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}}\n`
  const overlay: MemoryFiles = {
    'base/kustomization.yaml': 'resources: [web.yaml]\n',
    'base/web.yaml': web,
    'production/kustomization.yaml': `resources: [../base]\nnamePrefix: prod-\nimages: [{name: web, newTag: "7"}]\nconfigMapGenerator: [{name: settings, literals: [a=1]}]\npatches: [{path: replicas.yaml, target: {kind: Deployment}}]\n`,
    'production/replicas.yaml': '[{"op": "replace", "path": "/spec/replicas", "value": 3}]\n',
  }
  const renderer = kustomizeRenderer({ program: kustomize })

  test('an overlay comes out with its base, its patch, its image and what it generates', async () => {
    const rendered = await render(renderer, overlay, 'production')
    expect(rendered.tool).toMatch(/^kustomize v5\./)
    expect(names(rendered)).toEqual([expect.stringMatching(/^ConfigMap prod-settings-\w+$/), 'Deployment prod-web'])
    expect(rendered.documents[1]?.body).toMatchObject({
      spec: { replicas: 3, template: { spec: { containers: [{ image: 'web:7' }] } } },
    })
  })

  test('the same overlay gives the same documents', async () => {
    expect(await render(renderer, overlay, 'production')).toEqual(await render(renderer, overlay, 'production'))
  })

  test('a remote base is refused before anybody is asked, and read where it is permitted', async () => {
    await using remote = await listener()
    const files = { 'kustomization.yaml': `resources: ["${remote.url}"]\n` }
    const refused = await errorOf(render(renderer, files))
    expect(refused).toMatchObject({ code: 'RENDER_FAILED' })
    expect(refused.message).toMatch(/kustomization.yaml refers to .*Remote bases are refused: vendor them/)
    expect(remote.asked()).toBe(0)
    expect(names(await render(kustomizeRenderer({ program: kustomize, remoteBases: true }), files))).toEqual([
      'ConfigMap fetched',
    ])
  })

  test('a path that looks like an option is a path', async () => {
    const files = Object.fromEntries(
      Object.entries(overlay).map(([path, text]) => [path.replace('production', '--enable-helm'), text]),
    )
    expect(names(await render(renderer, files, '--enable-helm'))).toHaveLength(2)
  })

  test.each([
    ['production/../../etc', 'SOURCE_PATH_UNSAFE', /leads out of the folder/],
    ['/etc', 'RENDER_FAILED', /\/etc/],
  ])('a folder outside of the snapshot, %s, is not read', async (path, code, says) => {
    expect(await errorOf(render(renderer, overlay, path))).toMatchObject({ code, message: expect.stringMatching(says) })
  })

  test.each([
    [
      'a file outside',
      { 'kustomization.yaml': 'resources: [../../../etc/passwd]\n' },
      /\.\.\/etc\/passwd.*not in the snapshot/,
    ],
    [
      'a resource that is no YAML',
      { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': '{' },
      /Kustomize refused the root folder: .*a\.yaml/s,
    ],
    [
      'a patch without its object',
      { 'kustomization.yaml': 'patches: [{patch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: none}}"}]\n' },
      /Kustomize refused the root folder: .*none/s,
    ],
    ['a field nobody knows', { 'kustomization.yaml': 'resorces: [a.yaml]\n' }, /resorces/],
    ['no kustomization', { 'a.yaml': web }, /Kustomize refused the root folder: .*kustomization/s],
  ])('%s is refused in words that name it, without the folder it was rendered in', async (_why, files, says) => {
    const error = await errorOf(render(renderer, files))
    expect(error).toMatchObject({ code: 'RENDER_FAILED', message: expect.stringMatching(says) })
    expect(error.message).not.toContain(tmpdir())
  })

  test('a plugin is not run, whoever it belongs to', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gitops-plugin-'))
    const mark = join(folder, 'ran')
    const generator = `apiVersion: example.org/v1\nkind: Shell\nmetadata: {name: x, annotations: {config.kubernetes.io/function: "exec: {path: ./run.sh}"}}\n`
    const files = {
      'kustomization.yaml': 'generators: [g.yaml]\n',
      'g.yaml': generator,
      'run.sh': `#!/bin/sh\ntouch ${mark}\n`,
    }
    expect(await errorOf(render(renderer, files))).toMatchObject({ code: 'RENDER_FAILED' })
    expect(existsSync(mark)).toBe(false)
    await rm(folder, { recursive: true })
  })
})

describe('Helm', () => {
  const about = 'apiVersion: v2\nname: web\nversion: 1.2.3\n'
  const chart: MemoryFiles = {
    'web/Chart.yaml': about,
    'web/values.yaml': 'size: 1\nnote: plain\n',
    'web/templates/settings.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-settings, namespace: {{ .Release.Namespace }}}\ndata: {size: {{ .Values.size | quote }}, note: {{ .Values.note | quote }}, kube: {{ .Capabilities.KubeVersion.Version | quote }}}\n',
    'web/templates/migrate.yaml':
      'apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: m, image: m}]}}}\n',
    'web/crds/widget.yaml': `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\nspec: {group: example.org, scope: Namespaced, names: {kind: Widget, plural: widgets}, versions: []}\n`,
    'production.yaml': 'size: 5\n',
  }
  const base: HelmOptions = { program: helm, releaseName: 'shop', namespace: 'prod' }
  const rendererOf = (more: Partial<HelmOptions> = {}): Renderer => helmRenderer({ ...base, ...more })

  test('a chart comes out with values, definitions and hooks; later values win', async () => {
    const options = { valueFiles: ['production.yaml'], values: { note: 'a,b={c}' }, kubeVersion: '1.36.0' }
    const rendered = await render(rendererOf(options), chart, 'web')
    expect(rendered.tool).toMatch(/^helm v3\./)
    expect(names(rendered)).toEqual([
      'CustomResourceDefinition widgets.example.org',
      'ConfigMap shop-settings',
      'Job migrate',
    ])
    expect(rendered.documents[1]?.body).toMatchObject({
      metadata: { namespace: 'prod' },
      data: { size: '5', note: 'a,b={c}', kube: 'v1.36.0' },
    })
    expect(names(await render(rendererOf({ includeCrds: false }), chart, 'web'))).not.toContain(
      'CustomResourceDefinition widgets.example.org',
    )
  })

  test('settings and a plugin in the home of whoever runs it are not seen, and no cluster is asked', async () => {
    await using remote = await listener()
    const folder = await mkdtemp(join(tmpdir(), 'gitops-helm-'))
    writeFileSync(
      join(folder, 'config'),
      `apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "${remote.url}"}}]\n`,
    )
    process.env['KUBECONFIG'] = join(folder, 'config')
    const lookup = {
      ...chart,
      'web/templates/lookup.yaml': '{{ if lookup "v1" "Namespace" "" "default" }}{{ fail "asked" }}{{ end }}',
    }
    try {
      expect(names(await render(rendererOf(), lookup, 'web'))).toHaveLength(3)
      expect(remote.asked()).toBe(0)
    } finally {
      delete process.env['KUBECONFIG']
      await rm(folder, { recursive: true })
    }
  })

  test('a dependency that is not vendored is refused, and nobody is asked for it', async () => {
    await using remote = await listener()
    const dependency = `dependencies: [{name: base, version: 1.0.0, repository: "${remote.url}"}]\n`
    const files = { ...chart, 'web/Chart.yaml': `${about}${dependency}` }
    const error = await errorOf(render(rendererOf(), files, 'web'))
    expect(error).toMatchObject({ code: 'RENDER_FAILED', message: expect.stringMatching(/missing in charts.*base/) })
    expect(remote.asked()).toBe(0)
  })

  test.each(['--post-renderer=/bin/sh', '-x', 'a;b', 'A', ''])(
    'a release called %j is refused at once',
    (releaseName) => {
      expect(() => rendererOf({ releaseName })).toThrow(/releaseName must be/)
    },
  )

  test('a namespace that looks like an option is a namespace', async () => {
    const rendered = await render(rendererOf({ namespace: '--debug' }), chart, 'web')
    expect(rendered.documents[1]?.body).toMatchObject({ metadata: { namespace: '--debug' } })
  })

  test.each([
    ['../../etc', 'SOURCE_PATH_UNSAFE', /leads out/],
    ['none', 'RENDER_FAILED', /Helm refused the chart none: .*not found/s],
  ])('the chart %s is not there', async (path, code, says) => {
    expect(await errorOf(render(rendererOf(), chart, path))).toMatchObject({
      code,
      message: expect.stringMatching(says),
    })
  })

  test.each([
    ['a template that fails', { 'web/templates/x.yaml': '{{ fail "size is required" }}' }, /size is required/],
    ['a template that is none', { 'web/templates/x.yaml': '{{ if }}' }, /web\/templates\/x\.yaml:1/],
    [
      'a file that the template may not read',
      { 'web/templates/x.yaml': '{{ .Files.Get "/etc/hostname" | required "nothing there" }}' },
      /nothing there/,
    ],
  ])('%s is refused in words that name it, without the folder it was rendered in', async (_why, more, says) => {
    const error = await errorOf(render(rendererOf(), { ...chart, ...more }, 'web'))
    expect(error).toMatchObject({ code: 'RENDER_FAILED', message: expect.stringMatching(says) })
    expect(error.message).not.toContain(tmpdir())
  })

  test('a chart goes all the way: rendered, applied, and then nothing is left to do', async () => {
    await using server = await memoryApiServer()
    const admin = httpClient(server.connection())
    await admin.send({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'prod' } } }, call)
    const { 'web/templates/migrate.yaml': _job, 'web/crds/widget.yaml': _crd, ...plain } = chart
    const source = memorySource({ files: plain })
    const target = kubernetesTarget({
      connection: server.connection(),
      owner: 'test',
      path: 'web',
      renderer: rendererOf(),
      namespaces: { default: 'prod' },
    })
    const applications = [{ name: 'shop', source, target, policy: { mode: 'automatic' } }] as const
    await using reconciler = createReconciler({ ledger: memoryLedger(), applications })
    expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied' })
    expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'unchanged' })
    const { body } = await admin.send({ method: 'GET', path: '/api/v1/namespaces/prod/configmaps/shop-settings' }, call)
    expect(body['data']).toMatchObject({ size: '1' })
    await admin[Symbol.asyncDispose]?.()
  })
})
