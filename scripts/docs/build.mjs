// The documentation as a static site in docs/dist. What it is built with is not part of the workspace, so that a newcomer's
// install stays small: it is installed once, into a cache, by exact versions.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { cache } from '../cache.mjs'
import { writeReference } from './reference.mjs'

const tools = { vitepress: '1.6.4', mermaid: '11.17.2' }
const folder = join(cache, 'docs', Object.values(tools).join('-'))
const site = join(folder, 'site')
const out = resolve('docs/dist')

installTools()
copyPages()
run('npx', ['tsc', '-b', 'tsconfig.build.json'])
const names = writeReference(join(site, 'reference'))
// VitePress fails the build on a link to a page that is not there.
run(join(folder, 'node_modules/.bin/vitepress'), ['build', site, '--outDir', out], folder)
console.log(`docs: ${pages(out).length} pages, ${names} exported names, in ${relative('.', out)}`)

function installTools() {
  if (existsSync(join(folder, 'node_modules/.bin/vitepress'))) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies: tools }))
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder)
}

function copyPages() {
  rmSync(site, { recursive: true, force: true })
  cpSync('docs', site, { recursive: true, filter: (path) => !/(^|\/)(dist|cache)$/.test(path) })
  for (const path of pages(site, '.md')) {
    const text = readFileSync(path, 'utf8')
    writeFileSync(
      path,
      text.replaceAll(/\[([^\]]+)\]\(([^)\s]+)\)/g, (whole, label, link) => outside(path, label, link) ?? whole),
    )
  }
}

/** A link to a file of the repository that is no page becomes its name. */
function outside(page, label, link) {
  if (/^(\w+:|#)/.test(link)) return undefined
  const target = relative(site, resolve(page, '..', link))
  if (!target.startsWith('..')) return undefined
  const path = target.replace(/^(\.\.\/)+/, '')
  return label.includes(path) ? label : `${label} (\`${path}\`)`
}

function pages(folder, ending = '.html') {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith(ending))
}

function run(command, args, cwd = '.') {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
}
