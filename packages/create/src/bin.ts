#!/usr/bin/env node
import { relative } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { answersFrom, usage } from './answers.ts'
import { writeStarter } from './write-starter.ts'

const questions = process.stdin.isTTY ? createInterface(process.stdin, process.stdout) : undefined
try {
  const answers = await answersFrom(process.argv.slice(2), questions && ((question) => questions.question(question)))
  if (answers === 'help') process.stdout.write(usage)
  else {
    const folder = relative(process.cwd(), await writeStarter(answers, process.cwd())) || '.'
    process.stdout.write(`Written. Next:\n\n  cd ${folder}\n  npm install\n  npm test\n`)
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  questions?.close()
}
