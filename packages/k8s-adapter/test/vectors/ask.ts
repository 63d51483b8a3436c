import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createCall, type Json, type JsonObject } from '@gitops-sdk/core'
import type { HttpClientOptions } from '../../src/index.ts'

/** A request as a vector writes it. `{ns}` is the namespace of its story, `{3.metadata.uid}` a value of an earlier answer. */
export interface Question {
  readonly ask: string
  readonly body?: Json
  /** @defaultValue what the method and the body suggest */
  readonly type?: string
  readonly accept?: string
  readonly as?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Asked again until the answer has this status, for what a controller does in its own time. */
  readonly until?: number
  /** Only the status of the answer counts: the rest is of this version of the server. */
  readonly brief?: true
  /** For a watch: ends after so many events. */
  readonly events?: number
}

/** No request: the server forgets all old versions. */
export const COMPACT = 'COMPACT'

/** A raw answer: what a client would see. */
export interface RawAnswer {
  readonly status: number
  readonly warning: string | undefined
  readonly body: Json
}

const patchTypes: Readonly<Record<string, string>> = {
  APPLY: 'application/apply-patch+yaml',
  MERGE: 'application/merge-patch+json',
  STRATEGIC: 'application/strategic-merge-patch+json',
  JSON: 'application/json-patch+json',
}

/** Sends a question and reads its answer. */
export async function ask(connection: HttpClientOptions, question: Question): Promise<RawAnswer> {
  for (let tries = 0; ; tries++) {
    const answer = await askOnce(connection, question)
    if (question.until === undefined || answer.status === question.until || tries === 200) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function askOnce(connection: HttpClientOptions, question: Question): Promise<RawAnswer> {
  const [word = '', path = ''] = question.ask.split(' ')
  const type = question.type ?? patchTypes[word] ?? 'application/json'
  const { body } = question
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const token = await connection.token?.(false, createCall())
  const headers = {
    accept: question.accept ?? 'application/json',
    authorization: `Bearer ${token}`,
    'user-agent': 'vectors/1',
    ...(text !== undefined && { 'content-type': type, 'content-length': String(Buffer.byteLength(text)) }),
    ...(question.headers as Record<string, string | string[]> | undefined),
  }
  const url = new URL(path, connection.server)
  const isSecure = url.protocol === 'https:'
  const tls = connection.ca === undefined ? {} : { ca: Buffer.from(connection.ca) }
  const method = word in patchTypes ? 'PATCH' : word
  const outgoing = isSecure ? httpsRequest(url, { method, headers, ...tls }) : httpRequest(url, { method, headers })
  outgoing.on('error', () => {})
  outgoing.end(text)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return readAnswer(response, question.events)
}

async function readAnswer(response: IncomingMessage, events: number | undefined): Promise<RawAnswer> {
  let text = ''
  for await (const chunk of response) {
    text += (chunk as Buffer).toString('utf8')
    if (events !== undefined && text.split('\n').length > events) break
  }
  response.destroy()
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .slice(0, events)
  const isJson = (response.headers['content-type'] ?? '').includes('json')
  const body = events !== undefined ? lines.map(parse) : isJson ? parse(text) : text.trim()
  return { status: response.statusCode ?? 0, warning: response.headers['warning'], body }
}

function parse(text: string): Json {
  return JSON.parse(text) as Json
}

/** The question with the values of its story in it. */
export function filled(question: Question, namespace: string, answers: readonly RawAnswer[]): Question {
  const fill = (text: string): string =>
    text.replaceAll('{ns}', namespace).replace(/\{(\d+)\.([\w.-]+)\}/g, (_, index: string, path: string) => {
      const found = path
        .split('.')
        .reduce<Json | undefined>(
          (value, step) => (value as JsonObject | undefined)?.[step],
          answers[Number(index)]?.body,
        )
      return String(found as string)
    })
  return JSON.parse(fill(JSON.stringify(question))) as Question
}
