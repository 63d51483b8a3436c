// One direction of imports: a file imports only from its own folder and from folders to its left.
// Also: nothing that `.` of core reaches imports a `node:` module, and core names no adapter.
import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

const layersOf = {
  core: [
    'runtime',
    'source',
    'desired',
    'actual',
    'plan',
    'queue',
    'ledger',
    'apply',
    'feedback',
    'target',
    'reconciler',
    'testing',
  ],
  'k8s-adapter': ['client', 'declare', 'observe', 'plan', 'apply', 'assess', 'target', 'testing'],
  'sql-store': ['database', 'schema', 'history', 'queue', 'ledger'],
  'terraform-adapter': [
    'cli',
    'store',
    'backend',
    'workspace',
    'declare',
    'observe',
    'plan',
    'apply',
    'assess',
    'target',
    'testing',
  ],
}
const problems = []
let files = 0

for (const [name, layers] of Object.entries(layersOf)) {
  const root = resolve('packages', name, 'src')
  for (const file of typescriptFiles(root)) {
    files++
    for (const specifier of importsOf(file)) check(name, root, layers, file, specifier)
  }
}
checkBrowserEntry(resolve('packages/core/src/index.ts'))

if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exit(1)
}
console.log(`layers: ${files} files, every import goes left`)

function check(name, root, layers, file, specifier) {
  if (name === 'core' && specifier.startsWith('@gitops-sdk/'))
    report(file, specifier, 'core imports no other package of ours')
  if (!specifier.startsWith('.')) return
  const from = layerOf(root, file)
  const to = layerOf(root, resolve(dirname(file), specifier))
  if (from === undefined || file.endsWith('.test.ts') || file.endsWith('.test-d.ts')) return
  if (!layers.includes(from)) return report(file, specifier, `folder ${from} has no place in the order`)
  if (to === undefined) return report(file, specifier, 'an entry point is for users, import the file itself')
  if (layers.indexOf(to) > layers.indexOf(from)) report(file, specifier, `${from} may not import ${to}`)
}

function layerOf(root, file) {
  const parts = relative(root, file).split(sep)
  return parts.length > 1 ? parts[0] : undefined
}

function checkBrowserEntry(entry) {
  const seen = new Set()
  const visit = (file) => {
    if (seen.has(file) || !existsSync(file)) return
    seen.add(file)
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('node:')) report(file, specifier, '`.` of core must run without Node')
      if (specifier.startsWith('isomorphic-git')) report(file, specifier, 'isomorphic-git loads only from ./git')
      if (specifier.startsWith('.')) visit(resolve(dirname(file), specifier))
    }
  }
  visit(entry)
}

function importsOf(file) {
  const text = readFileSync(file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3])
}

function report(file, specifier, why) {
  problems.push(`${relative(process.cwd(), file)}: imports ${specifier}: ${why}`)
}

function typescriptFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? typescriptFiles(join(folder, entry.name))
      : entry.name.endsWith('.ts')
        ? [join(folder, entry.name)]
        : [],
  )
}
