import { expect, test } from 'vitest'
import { errorFor, isNotFound } from './errors.ts'
import { linesOf } from './lines.ts'

const causes = (...list: readonly (readonly [string, string, string])[]) => ({
  details: { causes: list.map(([reason, field, message]) => ({ reason, field, message })) },
})

test.each([
  [
    'an unknown field',
    500,
    { message: 'failed to create typed patch object: .spec.foo: field not declared in schema' },
    'TARGET_REFUSED',
    false,
  ],
  [
    'a webhook that is down',
    500,
    { reason: 'InternalError', message: 'failed calling webhook' },
    'TARGET_INTERNAL',
    true,
  ],
  ['a kind that is not served', 404, '404 page not found', 'TARGET_REFUSED', true],
  [
    'a namespace that is not there',
    404,
    { reason: 'NotFound', details: { kind: 'namespaces', name: 'x' } },
    'TARGET_REFUSED',
    true,
  ],
  [
    'another manager',
    409,
    { reason: 'Conflict', ...causes(['FieldManagerConflict', '.data.a', 'conflict with "x" using v1']) },
    'APPLY_CONFLICT',
    false,
  ],
  ['an old version', 409, { reason: 'Conflict' }, 'PLAN_STALE', true],
  [
    'a namespace that ends',
    403,
    { reason: 'Forbidden', ...causes(['NamespaceTerminating', '', '']) },
    'TARGET_LOCKED',
    true,
  ],
  ['a missing right', 403, { reason: 'Forbidden' }, 'TARGET_FORBIDDEN', false],
  ['a wrong token', 401, { reason: 'Unauthorized' }, 'TARGET_AUTH', false],
  ['an overload', 429, 'Too many requests, please try again later.', 'TARGET_THROTTLED', true],
  ['a value that is wrong', 422, { reason: 'Invalid' }, 'TARGET_REFUSED', false],
  ['a body that is too large', 413, 'Request entity too large', 'TARGET_REFUSED', false],
  ['a server that is away', 503, 'no', 'TARGET_UNREACHABLE', true],
  ['a version that is gone', 410, { reason: 'Expired' }, 'PLAN_STALE', true],
] as const)('%s is understood by status, reason and causes', (_why, status, body, code, retryable) => {
  expect(errorFor({ method: 'PATCH', path: '/api/v1/namespaces/x/configmaps/y', status, body })).toMatchObject({
    code,
    retryable,
  })
})

test('an object, a kind and a namespace that are not there are three things', () => {
  const at = (path: string, body: string | { reason: string; details: { kind: string } }) =>
    isNotFound(errorFor({ method: 'GET', path, status: 404, body }))
  expect(at('/api/v1/namespaces/x/configmaps/y', { reason: 'NotFound', details: { kind: 'configmaps' } })).toBe(true)
  expect(at('/api/v1/namespaces/x', { reason: 'NotFound', details: { kind: 'namespaces' } })).toBe(true)
  expect(at('/api/v1/namespaces/x/configmaps/y', { reason: 'NotFound', details: { kind: 'namespaces' } })).toBe(false)
  expect(at('/apis/nowhere/v1/things/y', '404 page not found')).toBe(false)
})

test('what the server quotes of a Secret is not repeated, and no message is longer than it needs to be', () => {
  const body = {
    reason: 'Invalid',
    message: 'data[x]: Invalid value: "hunter2": no',
    ...causes(['FieldValueInvalid', 'data[x]', 'Invalid value: "hunter2": no']),
  }
  const secret = errorFor({ method: 'PATCH', path: '/api/v1/namespaces/x/secrets/y', status: 422, body })
  expect(JSON.stringify(secret)).not.toContain('hunter2')
  expect(secret.message).toContain('data[x] FieldValueInvalid')
  const long = errorFor({
    method: 'PATCH',
    path: '/api/v1/configmaps/y',
    status: 422,
    body: { reason: 'Invalid', message: 'x'.repeat(100_000) },
  })
  expect(long.message.length).toBeLessThan(600)
})

test('lines are whole, also where characters and lines are cut by chunks; a line that was cut off is an error', async () => {
  const bytes = Buffer.from('{"a":"ü"}\n\n{"b":1}\n')
  const chunked = async function* (end = bytes.length) {
    for (let index = 0; index < end; index++) yield bytes.subarray(index, index + 1)
  }
  const read = async (chunks: AsyncIterable<Uint8Array>): Promise<string[]> => {
    const lines: string[] = []
    for await (const line of linesOf(chunks)) lines.push(line)
    return lines
  }
  expect(await read(chunked())).toEqual(['{"a":"ü"}', '{"b":1}'])
  await expect(read(chunked(bytes.length - 3))).rejects.toThrow('cut off')
})
