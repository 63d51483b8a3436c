import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** A page in a headless Chromium, driven over its own pipe: no driver, no port. For tests. */
export interface Page extends AsyncDisposable {
  /** Evaluates an expression in the page and gives its JSON value; a promise is awaited. */
  evaluate(expression: string): Promise<unknown>
  /** Resolves as soon as the expression is true. */
  until(expression: string): Promise<void>
  click(selector: string): Promise<void>
  /** A PNG of what is seen. */
  screenshot(): Promise<Buffer>
  /** Errors of scripts and refused requests so far. */
  readonly problems: readonly string[]
}

export async function openPage(url: string): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'))
  const browser = spawn(process.env['CHROMIUM_BIN'] ?? 'chromium', [...flags, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const problems: string[] = []
  const send = connect(browser, (method, params) => {
    if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') problems.push(JSON.stringify(params))
  })
  const { targetId } = await send('Target.createTarget', {
    url: 'about:blank',
    newWindow: true,
    width: 1000,
    height: 640,
  })
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
  const inPage = (method: string, params: object = {}) => send(method, params, String(sessionId))
  for (const domain of ['Page', 'Runtime', 'Log']) await inPage(`${domain}.enable`)
  await inPage('Page.navigate', { url })
  const evaluate = async (expression: string): Promise<unknown> => {
    const options = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = await inPage('Runtime.evaluate', options)
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return isRecord(result) ? result['value'] : undefined
  }
  return {
    evaluate,
    problems,
    until: async (expression) => {
      // A page that is on its way has no such element yet, or none at all.
      const isTrue = () => evaluate(`Boolean(${expression})`).catch(() => false)
      const endMs = Date.now() + 30_000
      while (!(await isTrue())) {
        if (Date.now() > endMs) throw new Error(`Never true: ${expression}\n${problems.join('\n')}`)
        await new Promise((done) => setTimeout(done, 20))
      }
    },
    click: async (selector) => void (await evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`)),
    screenshot: async () => Buffer.from(String((await inPage('Page.captureScreenshot')).data), 'base64'),
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((done) => browser.once('exit', done))
      browser.kill('SIGKILL')
      await ended
      await rm(profile, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe']

type Answer = Readonly<Record<string, unknown>>
type Send = (method: string, params?: object, sessionId?: string) => Promise<Answer>

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: Answer
  readonly error?: { readonly message: string }
}

/** The DevTools protocol over a pipe: JSON messages that end with a zero byte. */
function connect(browser: ChildProcess, onEvent: (method: string, params: unknown) => void): Send {
  const [, , , input, output] = browser.stdio as [unknown, unknown, unknown, Writable, Readable]
  const waiting = new Map<number, { done: (answer: Answer) => void; fail: (error: Error) => void }>()
  let last = 0
  let rest = ''
  output.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\0')
    rest = parts.pop() ?? ''
    for (const part of parts) receive(JSON.parse(part))
  })
  const receive = ({ id, method, params, result, error }: Message): void => {
    if (id === undefined) return onEvent(method ?? '', params)
    if (error === undefined) waiting.get(id)?.done(result ?? {})
    else waiting.get(id)?.fail(new Error(error.message))
    waiting.delete(id)
  }
  const failAll = (error: Error): void => waiting.forEach(({ fail }) => fail(error))
  browser.once('error', failAll)
  browser.once('exit', () => failAll(new Error('Chromium ended.')))
  return (method, params = {}, sessionId) =>
    new Promise((done, fail) => {
      const id = ++last
      waiting.set(id, { done, fail })
      input.write(`${JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) })}\0`)
    })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
