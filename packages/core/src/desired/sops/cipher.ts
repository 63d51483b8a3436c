import type { Json } from '../../runtime/json.ts'

/** A value as SOPS writes it: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:str]`. */
export interface SealedValue {
  readonly data: Uint8Array
  readonly iv: Uint8Array
  readonly tag: Uint8Array
  readonly type: string
}

const sealedPattern =
  /^ENC\[AES256_GCM,data:([A-Za-z0-9+/=]+),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:([a-z]+)\]$/

/** Takes a sealed value apart; `undefined` for a text that is none. */
export function parseSealed(text: string): SealedValue | undefined {
  const [, data, iv, tag, type] = sealedPattern.exec(text) ?? []
  if (data === undefined || iv === undefined || tag === undefined || type === undefined) return undefined
  return { data: bytesOf(data), iv: bytesOf(iv), tag: bytesOf(tag), type }
}

/** A data key, ready for use. */
export function importDataKey(dataKey: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new Uint8Array(dataKey), 'AES-GCM', false, ['decrypt'])
}

/** The text behind a sealed value. Rejects when it was not sealed with this key for this place. */
export async function open(sealed: SealedValue, key: CryptoKey, place: string): Promise<string> {
  const iv = new Uint8Array(sealed.iv)
  const content = new Uint8Array([...sealed.data, ...sealed.tag])
  const algorithm = { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(place), tagLength: 128 }
  return new TextDecoder('utf-8', { fatal: true }).decode(await crypto.subtle.decrypt(algorithm, key, content))
}

/** How an opened text is written in YAML and JSON alike; `undefined` for a type that is not known. */
export function literalOf(text: string, type: string): string | undefined {
  if (type === 'str' || type === 'bytes' || type === 'time') return JSON.stringify(text)
  if (type === 'int') return /^-?\d+$/.test(text) ? text : undefined
  if (type === 'float') return /^-?\d+(\.\d+)?$/.test(text) ? text : undefined
  if (type === 'bool') return text === 'True' ? 'true' : text === 'False' ? 'false' : undefined
  return undefined
}

/** A value that is not sealed, as SOPS feeds it to the MAC: numbers without exponent, `True` and `False`. */
export function textForMac(value: Exclude<Json, object> | bigint): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'number' ? decimal(value) : String(value)
}

/** The shortest decimal that reads back as `value`, never in exponent form (`strconv.FormatFloat(v, 'f', -1, 64)`). */
function decimal(value: number): string {
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value))
  if (match === null) return String(value)
  const [, sign = '', whole = '', fraction = '', exponent = ''] = match
  const digits = whole + fraction
  const point = 1 + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return (
    sign + (point >= digits.length ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`)
  )
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
