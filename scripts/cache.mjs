// What scripts install for themselves, outside of the workspace, so that a newcomer's install stays small.
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { run } from './packed.mjs'

/** Where it is kept from one run to the next. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gitops-sdk')

/** A program from a package of the registry that holds nothing else, installed once. `path` is its place in the package. */
export function programOf(name, version, path) {
  const folder = join(cache, 'runtimes', `${name.replace(/\W/g, '-')}-${version}`)
  return installOnce(`${name}@${version}`, folder, join(name, path), ['--ignore-scripts'])
}

/** Installs a package into a folder of its own, unless `path` is there already, and gives the place of `path`. */
export function installOnce(name, folder, path, more = [], environment = {}) {
  const wanted = join(folder, 'node_modules', path)
  if (existsSync(wanted)) return wanted
  mkdirSync(folder, { recursive: true })
  const install = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', ...more, name]
  run('npm', install, folder, { ...process.env, ...environment })
  console.log(`installed ${name} in ${folder}`)
  return wanted
}
