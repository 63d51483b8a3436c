// The public packages as they would be published, for scripts that meet them as a stranger would.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Packs every public package into `folder`. They must be built. */
export function packAll(folder) {
  return readdirSync('packages')
    .map((name) => resolve('packages', name))
    .filter((path) => manifestOf(path).private !== true)
    .map((path) => pack(path, folder))
}

function pack(path, folder) {
  const manifest = manifestOf(path)
  const tarball = join(folder, `${manifest.name.replace(/[@/]/g, '_')}.tgz`)
  run('npx', ['-y', 'pnpm@12', 'pack', '--out', tarball], path)
  return { name: manifest.name, path, tarball, manifest }
}

function manifestOf(path) {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
}

/** Makes `folder` a project of a stranger who installed all packages, with `more` beside them. */
export function installPacked(packages, folder, more = {}) {
  const dependencies = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]))
  // Whoever uses an entry point that needs a peer has it; the native one is left out, because it is an alternative.
  const peers = Object.assign({}, ...packages.map(({ manifest }) => manifest.peerDependencies ?? {}))
  delete peers['better-sqlite3']
  const manifest = {
    name: 'stranger',
    private: true,
    type: 'module',
    dependencies: { ...peers, ...dependencies },
    devDependencies: more,
    overrides: dependencies,
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], folder)
}

/** What a stranger can import from a package. */
export function entryPoints({ name, manifest }) {
  return Object.keys(manifest.publishConfig.exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => name + subpath.slice(1))
}

/** Runs a program and gives what it printed; a failure shows all of it. */
export function run(command, args, cwd, env = process.env) {
  try {
    return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout}${error.stderr}`)
  }
}
