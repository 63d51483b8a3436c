import { build } from 'esbuild'
import { expect, test } from 'vitest'

/** The packages of others, and how many of their files, that Node loads for `import '@gitops-sdk/core'`. */
async function filesOfOthers(): Promise<Readonly<Record<string, number>>> {
  const { metafile } = await build({
    stdin: { contents: `import '@gitops-sdk/core'`, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@gitops-sdk/source'],
    // Files that nothing is used of are loaded all the same.
    ignoreAnnotations: true,
    logLevel: 'silent',
  })
  const files = Object.keys(metafile.inputs).filter((path) => path.includes('/node_modules/'))
  const packages = files.map((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path)
  return Object.fromEntries([...new Set(packages)].map((name) => [name, packages.filter((one) => one === name).length]))
}

// Finding and reading a file takes Node longer than running it. SHA-256 in JavaScript, which Node has itself, was another five.
test('loading core loads seven files of others: queues, events and windows, no parser and no hash', async () => {
  expect(await filesOfOthers()).toEqual({ croner: 1, eventemitter3: 2, 'p-queue': 3, 'p-timeout': 1 })
})
