// Every relative link of every page leads to a file that is there, and to a heading of it.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'

const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { encoding: 'utf8' })
  .trim()
  .split('\n')
const problems = []
let count = 0

for (const page of pages.filter((path) => existsSync(path))) {
  const text = readFileSync(page, 'utf8').replaceAll(/```[\s\S]*?```/g, '')
  for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) check(page, link)
}
if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exit(1)
}
console.log(`links: ${count} lead somewhere`)

function check(page, link) {
  if (/^\w+:/.test(link)) return
  count++
  const [path, anchor] = link.split('#')
  const found = path === '' ? resolve(page) : fileOf(resolve(dirname(page), path))
  if (found === undefined) return problems.push(`${page}: ${link} leads nowhere`)
  if (anchor === undefined || !found.endsWith('.md')) return
  if (!headings(found).includes(anchor)) problems.push(`${page}: ${relative('.', found)} has no heading #${anchor}`)
}

function fileOf(path) {
  const options = existsSync(path) && statSync(path).isDirectory() ? [path] : [path, `${path}.md`]
  return options.find((each) => existsSync(each))
}

function headings(file) {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, text]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}
