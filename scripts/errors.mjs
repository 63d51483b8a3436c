// The reference page of error codes is made from the table in the code: docs/reference/errors.md.
// `--write` makes it; without, a page that is out of date fails.
import { readFileSync, writeFileSync } from 'node:fs'
import { tsImport } from 'tsx/esm/api'

const { errorCodes } = await tsImport('../packages/core/src/runtime/errors.ts', import.meta.url)
const page = 'docs/reference/errors.md'
const source = readFileSync('packages/core/src/runtime/errors.ts', 'utf8')
const table = source.slice(source.indexOf('errorCodes'))
const rows = table.split('\n').flatMap((line) => {
  const heading = /^ {2}\/\/ (.+)$/.exec(line)?.[1]
  if (heading !== undefined)
    return [
      '',
      `## ${heading[0].toUpperCase()}${heading.slice(1)}`,
      '',
      '| Code | Cause | Tried again | Next step |',
      '| --- | --- | --- | --- |',
    ]
  const code = /^ {2}([A-Z_0-9]+):/.exec(line)?.[1]
  if (code === undefined) return []
  const { cause, retryable, remedy } = errorCodes[code]
  return [`| \`${code}\` | ${cause} | ${retryable ? 'yes' : 'no'} | ${remedy} |`]
})
const text = `# Error codes

Every failure is a \`GitOpsError\`. Its \`code\` is API and one of these; its \`message\` names the input and is for people; the scheduler
obeys \`retryable\`, which is what the table says unless the error itself knows better.
${rows.join('\n')}
`

if (process.argv.includes('--write')) writeFileSync(page, text)
else if (readFileSync(page, 'utf8') !== text) {
  console.error(`${page} is out of date. Run: npx -y pnpm@12 errors`)
  process.exit(1)
}
console.log(`errors: ${Object.keys(errorCodes).length} codes, each with its cause and next step`)
