// The public surface of every entry point, as a report that a reviewer reads: docs/reference/api/*.api.md.
// `--local` writes the reports; without it a report that is out of date fails.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { compilerFor } from './extractor-compiler.mjs'

const local = process.argv.includes('--local')
const reportFolder = resolve('docs/reference/api')
mkdirSync(reportFolder, { recursive: true })

const results = readdirSync('packages').flatMap((name) => reportsOf(resolve('packages', name)))
const stale = results.filter((result) => !result.upToDate)
if (stale.length > 0 && !local) {
  for (const { name } of stale)
    console.error(`surface: ${name} changed. Read the difference, then run: npx -y pnpm@12 surface`)
  process.exit(1)
}
console.log(`surface: ${results.length} entry points, ${stale.length} reports ${local ? 'written' : 'out of date'}`)

function reportsOf(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const exported = Object.entries(manifest.publishConfig?.exports ?? {})
  return exported
    .filter(([, target]) => target.types !== undefined)
    .map(([subpath, target]) => report(folder, manifest.name, subpath, resolve(folder, target.types)))
}

function report(folder, packageName, subpath, mainEntryPointFilePath) {
  const name = `${packageName.replace('@gitops-sdk/', '')}${subpath.slice(1).replaceAll('/', '-')}`
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath,
      compiler: compilerFor(mainEntryPointFilePath),
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder,
        reportTempFolder: join(folder, 'dist/.surface'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  })
  const before = read(join(reportFolder, `${name}.api.md`))
  Extractor.invoke(config, {
    localBuild: true,
    showVerboseMessages: false,
    messageCallback: (message) => (message.handled = true),
  })
  const after = read(join(reportFolder, `${name}.api.md`))
  if (!local && before !== after) writeFileSync(join(reportFolder, `${name}.api.md`), before)
  return { name, upToDate: before === after }
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
