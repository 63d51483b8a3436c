// The JavaScript of every package as it is published. Loading some hundred modules one by one takes five times as long as
// loading what is in them, so each entry point is one file, and what the main one needs is one more that the others share.
// What a package depends on stays outside. Declarations come from `tsc -b`; sources are published beside.
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { rolldown } from 'rolldown'

/** Everything of other packages; the helpers of the compiler, which nobody installs, are not. */
const external = /^(?!@oxc-project\/)[@#a-z]/
const common = { platform: 'node', external, transform: { target: 'es2023' }, logLevel: 'warn' }

for (const name of readdirSync('packages')) await bundle(resolve('packages', name))

async function bundle(folder) {
  const dist = join(folder, 'dist')
  const stale = readdirSync(dist, { recursive: true }).filter((path) => /\.js(\.map)?$/.test(path))
  for (const path of stale) rmSync(join(dist, path))
  const entries = entriesOf(folder)
  const main = entries.find((path) => nameOf(path) === 'index')
  const shared = main === undefined || entries.length === 1 ? new Set() : await modulesOf(main)
  const bundled = await rolldown({ ...common, input: Object.fromEntries(entries.map((path) => [nameOf(path), path])) })
  await bundled.write({
    dir: dist,
    format: 'esm',
    sourcemap: true,
    // The sources lie beside the maps.
    sourcemapExcludeSources: true,
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: [{ name: 'shared', test: (id) => shared.has(id) }] },
  })
  await bundled.close()
}

/** The sources of what a package exports and runs, and of what the runtime chooses among (`imports`). */
function entriesOf(folder) {
  const { exports = {}, bin = {}, imports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const built = [...Object.values(exports).map((target) => target.default), ...Object.values(bin)].filter(Boolean)
  const sources = built.map((path) => path.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))
  const chosen = Object.values(imports).flatMap((target) => Object.values(target['@gitops-sdk/source']))
  return [...sources, ...chosen].map((path) => join(folder, path))
}

async function modulesOf(input) {
  const bundled = await rolldown({ ...common, input })
  const { output } = await bundled.generate({ format: 'esm' })
  await bundled.close()
  return new Set(output.flatMap(({ moduleIds = [] }) => moduleIds))
}

function nameOf(path) {
  return basename(path, '.ts')
}
