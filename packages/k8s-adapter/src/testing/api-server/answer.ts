import type { JsonObject } from '@gitops-sdk/core'

/** What is answered to a request. */
export interface Answer {
  readonly status: number
  /** A text is sent as plain text. */
  readonly body: JsonObject | string
  readonly headers?: Readonly<Record<string, string>>
}

/** Whom a refusal is about. */
export interface Subject {
  readonly group: string
  readonly resource: string
  readonly kind: string
  readonly name: string
}

/** One cause of a refusal. */
export interface Cause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

const refusals = new WeakMap<Error, Answer>()

/** The error that ends a request with an answer. */
export function refusal(answer: Answer): Error {
  const error = new Error(`refused with ${answer.status}`)
  refusals.set(error, answer)
  return error
}

/** The answer that an error stands for. */
export function answerOf(thrown: unknown): Answer | undefined {
  return thrown instanceof Error ? refusals.get(thrown) : undefined
}

/** A `Status` as the body of a refusal. */
export function status(code: number, reason: string, message: string, details: JsonObject = {}): Answer {
  const hasDetails = Object.keys(details).length > 0
  return {
    status: code,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason !== '' && { reason }),
      ...(hasDetails && { details }),
      code,
    },
  }
}

export function notFound({ group, resource, name }: Omit<Subject, 'kind'>): Error {
  const details = { name, ...(group !== '' && { group }), kind: resource }
  return refusal(status(404, 'NotFound', `${qualified(resource, group)} "${name}" not found`, details))
}

export function alreadyExists({ group, resource, name }: Subject): Error {
  const details = { name, ...(group !== '' && { group }), kind: resource }
  return refusal(status(409, 'AlreadyExists', `${qualified(resource, group)} "${name}" already exists`, details))
}

export function conflict({ group, resource, name }: Subject, why: string): Error {
  const message = `Operation cannot be fulfilled on ${qualified(resource, group)} "${name}": ${why}`
  const details = { name, ...(group !== '' && { group }), kind: resource }
  return refusal(status(409, 'Conflict', message, details))
}

export function forbidden({ group, resource, name }: Subject, why: string, causes: readonly Cause[] = []): Error {
  const message = `${qualified(resource, group)}${name === '' ? '' : ` "${name}"`} is forbidden: ${why}`
  const details = {
    ...(name !== '' && { name }),
    ...(group !== '' && { group }),
    kind: resource,
    ...(causes.length > 0 && { causes: causes as readonly JsonObject[] }),
  }
  return refusal(status(403, 'Forbidden', message, details))
}

export function badRequest(message: string): Error {
  return refusal(status(400, 'BadRequest', message))
}

/** A value is not what it has to be. */
export interface Fault extends Cause {
  readonly field: string
  readonly reason: string
  readonly message: string
}

export function invalid({ group, kind, name }: Subject, faults: readonly Fault[]): Error {
  const texts = [...new Set(faults.map(({ field, message }) => `${field}: ${message}`))]
  const text = texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
  const causes = faults.map(({ field, reason, message }) => ({ reason, message, field }))
  const details = { ...(name !== '' && { name }), ...(group !== '' && { group }), kind, causes }
  return refusal(status(422, 'Invalid', `${qualified(kind, group)} "${name}" is invalid: ${text}`, details))
}

export function gone(message: string, token?: string): Error {
  const answer = status(410, 'Expired', message)
  const body = answer.body as JsonObject
  return refusal({ ...answer, body: { ...body, metadata: token === undefined ? {} : { continue: token } } })
}

export const noPage: Answer = { status: 404, body: '404 page not found\n' }

function qualified(word: string, group: string): string {
  return group === '' ? word : `${word}.${group}`
}
