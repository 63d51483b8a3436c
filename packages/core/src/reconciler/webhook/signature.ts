import type { Secret } from '../../runtime/secret.ts'

/** Whether `signature` is the HMAC of `content` under one of the secrets. Takes the same time wherever it differs. */
export async function isSignedWith(
  secrets: readonly Secret[],
  content: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const matches = await Promise.all(secrets.map(async (secret) => isEqual(await sign(secret, content), signature)))
  return matches.includes(true)
}

/** Whether `token` is one of the secrets. Compares digests, so that not even a length shows. */
export async function isOneOf(secrets: readonly Secret[], token: string): Promise<boolean> {
  const given = await digest(token)
  const matches = await Promise.all(secrets.map(async (secret) => isEqual(await digest(secret.reveal()), given)))
  return matches.includes(true)
}

/** The bytes behind hexadecimal digits; `undefined` for anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (!/^(?:[0-9a-f]{2}){1,64}$/i.test(text)) return undefined
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

async function sign(secret: Secret, content: Uint8Array): Promise<Uint8Array> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const bytes = new TextEncoder().encode(secret.reveal())
  const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign(algorithm, key, new Uint8Array(content)))
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

function isEqual(expected: Uint8Array, given: Uint8Array): boolean {
  let difference = expected.length ^ given.length
  for (const [index, byte] of expected.entries()) difference |= byte ^ (given[index] ?? 0)
  return difference === 0
}
