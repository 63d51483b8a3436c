import { cp, mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Answers } from './answers.ts'

const templates = fileURLToPath(new URL('../templates', import.meta.url))

/** Writes the starter and returns its folder. Refuses a folder that holds something already. */
export async function writeStarter({ kind, folder }: Answers, cwd: string): Promise<string> {
  const target = resolve(cwd, folder)
  await mkdir(target, { recursive: true })
  if ((await readdir(target)).length > 0) throw new Error(`${target} is not empty. Choose another folder.`)
  await cp(join(templates, kind), target, { recursive: true })
  // npm leaves these names out of a package, or gives them a meaning of their own.
  await rename(join(target, '_gitignore'), join(target, '.gitignore'))
  await rename(join(target, '_package.json'), join(target, 'package.json'))
  await fillIn(join(target, 'package.json'), { NAME: packageName(target), CORE: `^${await ownVersion()}` })
  await fillIn(join(target, 'README.md'), { NAME: packageName(target) })
  return target
}

async function fillIn(file: string, values: Readonly<Record<string, string>>): Promise<void> {
  const text = await readFile(file, 'utf8')
  await writeFile(
    file,
    text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole),
  )
}

/** What npm accepts: small letters, digits and dashes. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return name === '' ? 'gitops-starter' : name
}

/** All packages are released together, so the starter takes the core of the same version. */
async function ownVersion(): Promise<string> {
  const manifest: { readonly version: string } = JSON.parse(await readFile(join(templates, '../package.json'), 'utf8'))
  return manifest.version
}
