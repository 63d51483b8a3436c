/** How one field of a message travels. A list field is written once per member, a map as a list of entries. */
export interface Field {
  readonly number: number
  readonly type: 'string' | 'bytes' | 'bool' | 'integer' | 'message'
  readonly list?: boolean
  readonly map?: boolean
  /** The shape of a `message`. */
  readonly of?: () => Shape
}

/** The fields of a message by name. */
export type Shape = Readonly<Record<string, Field>>

/** A message as plain data: absent members have their zero value. */
export type Message = Readonly<Record<string, unknown>>

/** The Protocol Buffers bytes of `message`. */
export function encode(shape: Shape, message: Message): Buffer {
  const parts: Buffer[] = []
  for (const [name, field] of Object.entries(shape)) {
    const value = message[name]
    if (value === undefined || value === null) continue
    for (const member of membersOf(field, value)) parts.push(encodeField(field, member))
  }
  return Buffer.concat(parts)
}

/** The message that `bytes` hold. Fields that `shape` does not name are passed over. */
export function decode(shape: Shape, bytes: Buffer): Message {
  const message: Record<string, unknown> = {}
  const names = new Map(Object.entries(shape).map(([name, field]) => [field.number, name]))
  let at = 0
  while (at < bytes.length) {
    const [tag, afterTag] = readVarint(bytes, at)
    const [raw, next] = readRaw(bytes, afterTag, tag & 7)
    at = next
    const name = names.get(tag >>> 3)
    const field = name === undefined ? undefined : shape[name]
    if (name === undefined || field === undefined) continue
    const value = decodeValue(field, raw)
    message[name] = field.list === true ? [...((message[name] as unknown[] | undefined) ?? []), value] : value
  }
  return message
}

const entryShape = (value: Field): Shape => ({ key: { number: 1, type: 'string' }, value: { ...value, number: 2 } })

function membersOf(field: Field, value: unknown): readonly unknown[] {
  if (field.map === true) return Object.entries(value as object).map(([key, member]) => ({ key, value: member }))
  return field.list === true ? (value as unknown[]) : [value]
}

function encodeField(field: Field, value: unknown): Buffer {
  if (field.type === 'bool') return Buffer.from([...varint(field.number << 3), value === true ? 1 : 0])
  if (field.type === 'integer') return Buffer.from([...varint(field.number << 3), ...varint(Number(value))])
  const body =
    field.map === true ? encode(entryShape({ ...field, map: false }), value as Message) : bodyOf(field, value)
  return Buffer.concat([Buffer.from([...varint((field.number << 3) | 2), ...varint(body.length)]), body])
}

function bodyOf(field: Field, value: unknown): Buffer {
  if (field.type === 'message') return encode(field.of?.() ?? {}, value as Message)
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value as Uint8Array)
}

function decodeValue(field: Field, raw: number | Buffer): unknown {
  if (typeof raw === 'number') return field.type === 'bool' ? raw === 1 : raw
  if (field.type === 'message') return decode(field.of?.() ?? {}, raw)
  return field.type === 'string' ? raw.toString('utf8') : raw
}

function varint(given: number): number[] {
  const bytes: number[] = []
  let rest = given
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}

function readVarint(bytes: Buffer, from: number): [value: number, next: number] {
  let value = 0
  let factor = 1
  let at = from
  for (;;) {
    const byte = bytes[at++]
    if (byte === undefined) throw new RangeError('The message ends inside a number.')
    value += (byte & 127) * factor
    if (byte < 128) return [value, at]
    factor *= 128
  }
}

function readRaw(bytes: Buffer, at: number, kind: number): [raw: number | Buffer, next: number] {
  if (kind === 0) return readVarint(bytes, at)
  if (kind === 1 || kind === 5) return [0, at + (kind === 1 ? 8 : 4)]
  const [length, start] = readVarint(bytes, at)
  return [bytes.subarray(start, start + length), start + length]
}
