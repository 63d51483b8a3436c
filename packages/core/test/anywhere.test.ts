import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

/** A whole reconcile with nothing but what `.` and `./testing` export. */
const program = `
import { createReconciler, memorySource } from '@gitops-sdk/core'
import { memoryTarget } from '@gitops-sdk/core/testing'

globalThis.result = (async () => {
  const source = memorySource({ files: { 'flag/checkout.json': { on: true } } })
  const target = memoryTarget()
  const reconciler = createReconciler({ applications: [{ name: 'shop', source, target }] })
  const { outcome } = await reconciler.reconcile('shop')
  await reconciler.stop()
  return JSON.stringify({ outcome, live: [...target.live.values()].map(({ body }) => body) })
})()
`

async function bundleForBrowsers(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    conditions: ['@gitops-sdk/source'],
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

/** What every browser has and a bare JavaScript context lacks. */
const browserGlobals = {
  AbortController,
  AbortSignal,
  TextDecoder,
  TextEncoder,
  URL,
  clearTimeout,
  crypto,
  performance,
  queueMicrotask,
  setTimeout,
  structuredClone,
}

test('`.` of core bundles for a browser, which fails on any `node:` module, and reconciles there', async () => {
  const context = createContext({ ...browserGlobals })
  runInContext(await bundleForBrowsers(), context)
  expect(JSON.parse(await (context['result'] as Promise<string>))).toEqual({ outcome: 'applied', live: [{ on: true }] })
})

test('`.` and `./testing` do not carry isomorphic-git', async () => {
  expect(await bundleForBrowsers()).not.toContain('isomorphic-git')
})
