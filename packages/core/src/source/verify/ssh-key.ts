import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { padZeros, toBase64Url, type WireReader, wireReader } from './bytes.ts'

/** Whether a public key made a signature over `data`. Both come in the wire format of SSH. */
export async function verifySshSignature(key: Uint8Array, signature: Uint8Array, data: Uint8Array): Promise<boolean> {
  const keyReader = wireReader(key)
  const signatureReader = wireReader(signature)
  const type = keyReader.text()
  const verify = isKnownKeyType(type) ? algorithms[type] : undefined
  if (verify === undefined) throw new RangeError('Unknown key type.')
  return verify({ key: keyReader, algorithm: signatureReader.text(), signature: signatureReader, data })
}

/** The key types that `verifySshSignature` knows. */
export function isKnownKeyType(type: string): boolean {
  return Object.hasOwn(algorithms, type)
}

interface Claim {
  /** Behind the type. */
  readonly key: WireReader
  readonly algorithm: string
  /** Behind the algorithm. */
  readonly signature: WireReader
  readonly data: Uint8Array
}

type Verify = (claim: Claim) => Promise<boolean>

const curves: Readonly<Record<string, { readonly name: string; readonly bytes: number; readonly hash: string }>> = {
  nistp256: { name: 'P-256', bytes: 32, hash: 'SHA-256' },
  nistp384: { name: 'P-384', bytes: 48, hash: 'SHA-384' },
  nistp521: { name: 'P-521', bytes: 66, hash: 'SHA-512' },
}

const algorithms: Readonly<Record<string, Verify>> = {
  'ssh-ed25519': async ({ key, algorithm, signature, data }) =>
    algorithm === 'ssh-ed25519' && (await ed25519(key.string(), signature.string(), data)),
  'sk-ssh-ed25519@openssh.com': async ({ key, algorithm, signature, data }) => {
    const point = key.string()
    const proof = signature.string()
    const message = tokenMessage(key, signature, data)
    return algorithm === 'sk-ssh-ed25519@openssh.com' && message !== undefined && ed25519(point, proof, message)
  },
  'ecdsa-sha2-nistp256': ecdsa,
  'ecdsa-sha2-nistp384': ecdsa,
  'ecdsa-sha2-nistp521': ecdsa,
  'sk-ecdsa-sha2-nistp256@openssh.com': async ({ key, algorithm, signature, data }) => {
    const curve = key.text()
    const point = key.string()
    const proof = wireReader(signature.string())
    const message = tokenMessage(key, signature, data)
    const isMeant = algorithm === 'sk-ecdsa-sha2-nistp256@openssh.com' && curve === 'nistp256'
    return isMeant && message !== undefined && verifyPoint(curve, point, proof, message)
  },
  'ssh-rsa': rsa,
}

async function ed25519(key: Uint8Array, signature: Uint8Array, data: Uint8Array): Promise<boolean> {
  if (key.length !== 32 || signature.length !== 64) return false
  return verifyWith({ name: 'Ed25519' }, { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(key) }, signature, data)
}

async function ecdsa({ key, algorithm, signature, data }: Claim): Promise<boolean> {
  const curve = key.text()
  const point = key.string()
  return algorithm === `ecdsa-sha2-${curve}` && verifyPoint(curve, point, wireReader(signature.string()), data)
}

async function verifyPoint(curve: string, point: Uint8Array, proof: WireReader, data: Uint8Array): Promise<boolean> {
  const { name, bytes, hash } = curves[curve] ?? { name: '', bytes: 0, hash: '' }
  const [r, s] = [proof.integer(), proof.integer()]
  if (point[0] !== 4 || point.length !== 1 + 2 * bytes || r.length > bytes || s.length > bytes) return false
  const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)]
  const jwk = { kty: 'EC', crv: name, x: toBase64Url(x), y: toBase64Url(y) }
  const signature = concatBytes(padZeros(r, bytes), padZeros(s, bytes))
  return verifyWith({ name: 'ECDSA', namedCurve: name, hash }, jwk, signature, data)
}

/** RSA of 2048 bits or more, with SHA-2: signatures with SHA-1 can be forged. */
async function rsa({ key, algorithm, signature, data }: Claim): Promise<boolean> {
  const hash = algorithm === 'rsa-sha2-512' ? 'SHA-512' : algorithm === 'rsa-sha2-256' ? 'SHA-256' : undefined
  const [exponent, modulus] = [key.integer(), key.integer()]
  const proof = signature.string()
  if (hash === undefined || modulus.length < 256 || modulus.length > 2048 || proof.length > modulus.length) return false
  const jwk = { kty: 'RSA', e: toBase64Url(exponent), n: toBase64Url(modulus) }
  return verifyWith({ name: 'RSASSA-PKCS1-v1_5', hash }, jwk, padZeros(proof, modulus.length), data)
}

/** What a hardware token signs instead of the data; `undefined` unless a person touched it (PROTOCOL.u2f). */
function tokenMessage(key: WireReader, signature: WireReader, data: Uint8Array): Uint8Array | undefined {
  const application = key.string()
  const flags = signature.take(1)
  const counter = signature.take(4)
  const isTouched = ((flags[0] ?? 0) & 1) === 1
  return isTouched ? concatBytes(sha256(application), flags, counter, sha256(data)) : undefined
}

async function verifyWith(
  algorithm: RsaHashedImportParams | EcKeyImportParams | { readonly name: string },
  jwk: JsonWebKey,
  signature: Uint8Array,
  data: Uint8Array,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify'])
  return crypto.subtle.verify(algorithm, key, new Uint8Array(signature), new Uint8Array(data))
}
