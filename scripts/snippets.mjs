// Code in the documentation comes from files that are compiled and tested: the block after
//   <!-- snippet: examples/embed/src/embed.ts#deliver -->
// is that region. `--write` copies it; without, a block that differs fails.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const write = process.argv.includes('--write')
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { encoding: 'utf8' })
  .trim()
  .split('\n')
const pattern = /(<!-- snippet: (\S+?)(?:#(\S+))? -->\n+```\w*\n)([\s\S]*?)(```)/g
const stale = []
let count = 0

for (const file of files) {
  const before = readFileSync(file, 'utf8')
  const after = before.replace(pattern, (_, head, source, region, _body, tail) => {
    count++
    return head + code(file, source, region) + tail
  })
  if (after === before) continue
  stale.push(file)
  if (write) writeFileSync(file, after)
}

if (stale.length > 0 && !write) {
  console.error(`snippets: out of date in ${stale.join(', ')}. Run: npx -y pnpm@12 snippets`)
  process.exit(1)
}
console.log(`snippets: ${count} blocks are what the examples say`)

function code(file, source, region) {
  const text = readFileSync(source, 'utf8')
  if (region === undefined) return text
  const found = new RegExp(`// #region ${region}\\n([\\s\\S]*?)[ \\t]*// #endregion ${region}`).exec(text)
  if (found === null) throw new Error(`${file}: ${source} has no region ${region}`)
  return found[1]
}
