// Reference pages from the doc comments of the built packages: one page for each entry point, and one page with
// every option, its unit and its default.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { compilerFor } from '../extractor-compiler.mjs'

/** Writes the pages below `folder`, which is the `reference` folder of the site. */
export function writeReference(folder) {
  const models = readdirSync('packages').flatMap((name) => modelsOf(resolve('packages', name)))
  rmSync(join(folder, 'api'), { recursive: true, force: true })
  mkdirSync(join(folder, 'api'), { recursive: true })
  for (const { entry, members } of models) {
    writeFileSync(join(folder, 'api', `${fileName(entry)}.md`), apiPage(entry, members))
  }
  writeFileSync(join(folder, 'options.md'), optionsPage(models))
  return models.reduce((count, { members }) => count + members.length, 0)
}

function fileName(entry) {
  return entry.replace('@gitops-sdk/', '').replaceAll('/', '-')
}

function modelsOf(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return Object.entries(manifest.publishConfig?.exports ?? {})
    .filter(([, target]) => target.types !== undefined)
    .map(([subpath, target]) => ({
      entry: manifest.name + subpath.slice(1),
      members: membersOf(folder, resolve(folder, target.types)),
    }))
}

function membersOf(folder, mainEntryPointFilePath) {
  const out = mkdtempSync(join(tmpdir(), 'gitops-sdk-model-'))
  try {
    const apiJsonFilePath = join(out, 'model.api.json')
    const silent = { default: { logLevel: ExtractorLogLevel.None } }
    const config = ExtractorConfig.prepare({
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath,
        compiler: compilerFor(mainEntryPointFilePath),
        apiReport: { enabled: false },
        docModel: { enabled: true, apiJsonFilePath },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: silent,
          extractorMessageReporting: silent,
          tsdocMessageReporting: silent,
        },
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: join(folder, 'package.json'),
    })
    Extractor.invoke(config, { localBuild: true, messageCallback: (message) => (message.handled = true) })
    return JSON.parse(readFileSync(apiJsonFilePath, 'utf8')).members[0].members
  } finally {
    rmSync(out, { recursive: true })
  }
}

function apiPage(entry, members) {
  const sorted = members.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  const sections = sorted.map(
    (member) =>
      `## ${member.name}\n\n${textOf(member)}\n\n\`\`\`ts\n${signature(member)}\n\`\`\`\n${memberTable(member)}`,
  )
  return `# ${entry}\n\n${sections.join('\n')}\n`
}

function signature(member) {
  return member.excerptTokens
    .map(({ text }) => text)
    .join('')
    .trim()
}

function memberTable({ kind, members = [] }) {
  if (kind !== 'Interface' && kind !== 'Class') return ''
  const rows = members.map(
    (each) => `| ${code(signature(each).replace(/;$/, ''))} | ${cell(textOf(each))} | ${cell(defaultOf(each))} |`,
  )
  return rows.length === 0 ? '' : `\n| Member | Meaning | Default |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

/** Every interface of options, wherever it is exported: what a user writes, with unit and default. */
function optionsPage(models) {
  const seen = new Set()
  const sections = models.flatMap(({ entry, members }) =>
    members
      .filter(
        ({ kind, name }) =>
          kind === 'Interface' &&
          /(Options|Policy|Limits|Timeouts|Retry|Request|View|Window|Rule|Protection|Restrictions|Network|Ssh|Proxy)$/.test(
            name,
          ),
      )
      .filter(({ name }) => !seen.has(name) && seen.add(name))
      .map((member) => optionSection(entry, member)),
  )
  return `# Options\n\nEvery option, its unit and its default. \`none\`: what it speaks of does not happen when it is left out.\n\n${sections.join('\n')}\n`
}

function optionSection(entry, { name, members = [], ...rest }) {
  const rows = members.map((member) => {
    const type = signature(member)
      .replace(/;$/, '')
      .replace(/^(readonly )?/, '')
    const without = /^\w+\?:/.test(type) ? 'none' : 'required'
    return `| ${code(type)} | ${unitOf(member.name ?? '')} | ${cell(defaultOf(member) || without)} | ${cell(textOf(member))} |`
  })
  return `## ${name}\n\n${textOf(rest)} From \`${entry}\`.\n\n| Option | Unit | Default | Meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}

const units = [
  [/Ms$/, 'milliseconds'],
  [/Bytes$/, 'bytes'],
  [/(At|until|before|expiresAt)$/, 'epoch milliseconds'],
  [/^(jitter|rate)$/, 'part of 1'],
  [/^max|^limit$|concurrency|Concurrency|parallelism/i, 'count'],
]

function unitOf(name) {
  return units.find(([pattern]) => pattern.test(name))?.[1] ?? ''
}

/** The text of a doc comment without its tags. */
function textOf({ docComment = '' }) {
  const text = docComment
    .trim()
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .replaceAll(/^\s*\* ?/gm, '')
    .replaceAll(/@(defaultValue|default)[^\n]*/g, '')
    .replaceAll(/@\w+ ?/g, '')
    .trim()
  return escapeText(text.replaceAll('](', ']&#40;'))
}

function defaultOf({ docComment = '' }) {
  const found = /@defaultValue\s+([^\n]*?)\s*(\*\/|\n|$)/.exec(docComment)?.[1]
  return found === undefined ? '' : escapeText(found)
}

/** Nothing of a comment is taken for markup of the site; code stays as it is. */
function escapeText(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '&lt;').replaceAll('{{', '&#123;&#123;')))
    .join('')
}

function code(text) {
  const escaped = text
    .replaceAll(/\s+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('|', '&#124;')
  return `<code v-pre>${escaped.replaceAll('{', '&#123;').replaceAll('[', '&#91;').replaceAll('*', '&#42;').replaceAll('_', '&#95;')}</code>`
}

function cell(text) {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')
}
