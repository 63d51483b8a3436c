#!/usr/bin/env node
import { userInfo } from 'node:os'
import { runCli } from './run-cli.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())

const isPlain = process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== ''

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  cwd: process.cwd(),
  colour: process.stdout.isTTY && !isPlain,
  progress: process.stderr.isTTY,
  signal: interrupted.signal,
  user: process.env['GITOPS_USER'] ?? userInfo().username,
})
