import { Console } from 'node:console'
import { Writable } from 'node:stream'
import pino from 'pino'
import { expect, test } from 'vitest'
import winston from 'winston'
import { GitOpsError } from './errors.ts'
import { type Logger, structuredLog } from './log.ts'

interface Lines {
  readonly log: Logger
  /** What the library wrote, parsed where it writes JSON. */
  readonly written: () => readonly Record<string, unknown>[]
}

function sink(): { stream: Writable; text: () => string } {
  let text = ''
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk)
      done()
    },
  })
  return { stream, text: () => text }
}

const jsonLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line))

function withPino(): Lines {
  const { stream, text } = sink()
  const written = () => jsonLines(text()).map(({ msg, ...rest }) => ({ ...rest, message: msg }))
  return { log: pino({ level: 'debug' }, stream), written }
}

function withWinston(): Lines {
  const { stream, text } = sink()
  const log = winston.createLogger({ level: 'debug', transports: [new winston.transports.Stream({ stream })] })
  return { log, written: () => jsonLines(text()) }
}

/** `console` writes for people: the fields are read back from a table of what it was given. */
function withConsole(): Lines {
  const { stream, text } = sink()
  const log: Logger = new Console({
    stdout: stream,
    stderr: stream,
    inspectOptions: { breakLength: Infinity, depth: 9 },
  })
  return { log, written: () => [{ message: text() }] }
}

const failed = new GitOpsError('TARGET_UNREACHABLE', 'The target does not answer.', {
  cause: new Error('connect with password hunter2 failed'),
})

test.each([
  ['pino', withPino],
  ['winston', withWinston],
])('%s keeps message, fields and the error of a line, as it is', (_name, create) => {
  const { log, written } = create()
  const own = structuredLog(log).child?.({ application: 'shop', runId: 'r1' })
  own?.warn('The look failed.', { attempt: 2 }, failed)
  own?.info('Nothing more to say.')
  expect(written()).toEqual([
    expect.objectContaining({
      message: 'The look failed.',
      application: 'shop',
      runId: 'r1',
      attempt: 2,
      error: { code: 'TARGET_UNREACHABLE', message: 'The target does not answer.', retryable: true },
    }),
    expect.objectContaining({ message: 'Nothing more to say.', application: 'shop', runId: 'r1' }),
  ])
})

test('console shows the same to a person', () => {
  const { log, written } = withConsole()
  structuredLog(log).child?.({ application: 'shop' }).error('The look failed.', failed)
  const [{ message } = {}] = written()
  expect(message).toContain("The look failed. { application: 'shop', error: { code: 'TARGET_UNREACHABLE'")
})

test.each([
  ['pino', withPino],
  ['winston', withWinston],
  ['console', withConsole],
])('with %s, the cause of an error, which may quote a secret, is never written', (_name, create) => {
  const { log, written } = create()
  structuredLog(log).error('The look failed.', failed)
  structuredLog(log).error('The look failed.', { error: failed })
  expect(JSON.stringify(written())).not.toContain('hunter2')
})

test('an error that nobody meant is written with its place in the code', () => {
  const { log, written } = withPino()
  structuredLog(log).error('A defect.', new TypeError('x is not a function'))
  expect(written()[0]?.['error']).toMatchObject({
    code: 'INTERNAL',
    message: 'x is not a function',
    stack: expect.stringContaining('log.test.ts'),
  })
})

test('a logger that fails changes nothing', () => {
  const fail = (): never => {
    throw new Error('the disk is full')
  }
  const log: Logger = { debug: fail, info: fail, warn: fail, error: fail, child: fail }
  expect(() => structuredLog(log).child?.({ application: 'shop' }).warn('Something.', { a: 1 })).not.toThrow()
})
