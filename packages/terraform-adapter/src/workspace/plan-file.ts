import { inflateRawSync } from 'node:zlib'
import { GitOpsError } from '@gitops-sdk/core'
import { type StateJson, parseState } from '../backend/state.ts'

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const DEFLATED = 8

/** The state a plan was made from. A plan file is a zip archive with the state in it. */
export function stateInPlan(plan: Buffer): Pick<StateJson, 'lineage' | 'serial'> {
  return parseState(memberOf(plan, 'tfstate'), 'The state inside the plan')
}

/** One member of a zip archive. Throws `INTERNAL` when it is not there: the format of the binary has changed. */
function memberOf(zip: Buffer, name: string): Buffer {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (end < 0 || zip.readUInt32LE(end) !== END_OF_DIRECTORY) throw notFound(name)
  const count = zip.readUInt16LE(end + 10)
  let at = zip.readUInt32LE(end + 16)
  for (let index = 0; index < count && zip.readUInt32LE(at) === DIRECTORY_ENTRY; index++) {
    const nameBytes = zip.readUInt16LE(at + 28)
    if (zip.toString('utf8', at + 46, at + 46 + nameBytes) === name) return contentAt(zip, at)
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  throw notFound(name)
}

/** The content that an entry of the directory points at. */
function contentAt(zip: Buffer, entry: number): Buffer {
  const method = zip.readUInt16LE(entry + 10)
  const sizeBytes = zip.readUInt32LE(entry + 20)
  const local = zip.readUInt32LE(entry + 42)
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
  const content = zip.subarray(start, start + sizeBytes)
  return method === DEFLATED ? inflateRawSync(content) : content
}

function notFound(name: string): GitOpsError {
  return new GitOpsError(
    'INTERNAL',
    `The plan of the binary holds no ${name}. Report it with the version of the binary.`,
  )
}
