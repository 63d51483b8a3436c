import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { gzipSync } from 'node:zlib'
import { type JsonObject, createRedactor, createSeal, diffJson } from '@gitops-sdk/core'
import { decodeDocuments, defaultDecodeLimits } from '@gitops-sdk/core/files'
import { parseAllowedSigners, verifyCommit } from '@gitops-sdk/core/git'
import { checkArchive } from '../../packages/k8s-adapter/src/declare/archive.ts'
import { tokensOf } from '../../packages/terraform-adapter/src/declare/hcl.ts'
import type { PlanJson } from '../../packages/terraform-adapter/src/observe/plan-json.ts'
import { learnSecrets } from '../../packages/terraform-adapter/src/observe/secrets.ts'
import { verdictOf } from '../../packages/terraform-adapter/src/plan/verdict.ts'
import { follow, managersOf, project } from '../../packages/k8s-adapter/src/observe/field-set.ts'
import { readPlain } from '../../packages/core/src/desired/decode-plain.ts'
import { decodeText } from '../../packages/core/src/desired/text.ts'
import { parsePointer, toPointer } from '../../packages/core/src/desired/pointer.ts'
import { applyJsonPatch } from '../../packages/core/src/desired/patch.ts'
import { ruleThatIgnores } from '../../packages/core/src/plan/ignore.ts'
import { matchesPattern } from '../../packages/core/src/reconciler/tenancy/pattern.ts'
import { classifyAddress } from '../../packages/core/src/runtime/destination/address.ts'
import { defaultLimits } from '../../packages/core/src/source/git/limits.ts'
import { readPackets } from '../../packages/core/src/source/git/protocol/pkt-line.ts'
import { readRefs } from '../../packages/core/src/source/git/protocol/list-refs.ts'
import { parseTree } from '../../packages/core/src/source/git/tree.ts'
import { chunked, packFrom, readPack, validPacks } from './packs.ts'
import { jsonFrom, patchFrom } from './shape.ts'
import { provedBodies } from './webhook.ts'

/** Something that reads what others wrote. */
export interface FuzzTarget {
  readonly name: string
  /** Part of all executions; fast ones take more. */
  readonly share: number
  readonly corpus: readonly Uint8Array[]
  readonly words: readonly string[]
  /** How long an input gets. @defaultValue 4_096 */
  readonly maxBytes?: number
  /** May throw a `GitOpsError`, nothing else; an `Error` made by `mustHold` tells a broken promise. */
  readonly run: (bytes: Uint8Array) => unknown
}

const TAR_BLOCK_BYTES = 512
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

function mustHold(promise: string, holds: boolean): void {
  if (!holds) throw new Error(`Broken promise: ${promise}`)
}

const yamlSeeds = [
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {x: "1", y: [1, 2.5, ~, true]}\ndata:\n  a: |\n    text\n  b: >-\n    folded\n',
  'a: &x {b: 1}\nc: *x\n---\n# comment\n? k\n: v\n...\n---\n- 1\n',
  "a: \"\\u00e9\\n\"\nb: 'it''s'\nc: !!str 1\nd: 0o17\ne: .5\n<<: {f: 1}\n",
]
const plainSeeds = [
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: "1"}}\n',
  'a:\n- x\n- y: 1\n  z: 2.5\nb:\n  - [1, two]\n# end\n',
  'a: "x: #y"\nb: \'x, {y}\'\nc: ["", \'\']\nd: true\ne: null\nf: https://x.org:80/y\n',
]
const jsonSeeds = ['{"a":[1,-2.5e3,"\\u00e9\\ud83d\\ude00",null,true],"b":{"c":{}}}', '{"":0,"x y":"\\"\\\\\\/"}']
const yamlWords = [
  '&a',
  '*a',
  '<<: *a',
  '- ',
  '? ',
  ': ',
  '__proto__: ',
  '!!',
  '|+',
  '>-',
  '[[',
  '{{',
  '---\n',
  '...',
  '%YAML 1.1\n',
  '\t',
  '0x',
  '1e999',
  '\ufeff',
]
const jsonWords = [
  '"__proto__":',
  '\\u0000',
  '\\ud800',
  '1e999',
  '-0',
  '[[[[',
  '{"a":',
  'NaN',
  '//',
  '9007199254740993',
]

const commit = bytesOf(
  `tree ${'4'.repeat(40)}\nparent ${'5'.repeat(40)}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\ngpgsig -----BEGIN SSH SIGNATURE-----\n ${Buffer.from('SSHSIG\0\0\0\u0001\0\0\0\u0033').toString('base64')}\n -----END SSH SIGNATURE-----\n\nmessage\n`,
)
const signers = parseAllowedSigners(
  'a@b ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJunvbA8LvYMt2p5RJBbDqsXl0zBdWyuFJhlrwlm5Aqd',
)
const tree = Buffer.concat([
  Buffer.from('100644 a.yaml\0'),
  Buffer.alloc(20, 7),
  Buffer.from('40000 dir\0'),
  Buffer.alloc(20, 8),
])

const askWebhook = provedBodies()

/** Everything that reads what others wrote, in the order of the data flow. */
export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'git packets and refs',
    share: 2,
    corpus: [
      bytesOf(`003f${'a'.repeat(40)} refs/heads/main\n0000`),
      bytesOf('0032want\n00010009done\n0000'),
      bytesOf('0000'),
    ],
    words: ['0000', '0001', '0002', 'fff0', '0004', ' symref-target:', ' peeled:', '\0', 'ERR '],
    run: async (bytes) => {
      for await (const _ of readPackets(chunked(bytes)));
      await readRefs(readPackets(chunked(bytes)), { ...defaultLimits, maxRefs: 100 })
    },
  },
  { name: 'git pack', share: 0.4, corpus: validPacks(), words: ['PACK\0\0\0\u0002'], run: (bytes) => readPack(bytes) },
  {
    name: 'git deltas',
    share: 0.4,
    corpus: [Uint8Array.from({ length: 128 }, (_, index) => (index * 41) & 255)],
    words: [],
    maxBytes: 512,
    run: (bytes) => readPack(packFrom(bytes)),
  },
  {
    name: 'git tree',
    share: 6,
    corpus: [tree, Buffer.from('100644 .git\0'.padEnd(32, 'x'))],
    words: ['100644 ', '120000 ', '160000 ', '40000 ', '../', '.git', '\0', 'git~1', '\u200c'],
    run: (bytes) => {
      for (const name of parseTree(Buffer.from(bytes)).keys())
        mustHold('no name can leave the tree', !/[/\0\\]|^\.{0,2}$|^\.git$/i.test(name))
    },
  },
  {
    name: 'signed commit',
    share: 2,
    corpus: [commit],
    words: ['gpgsig ', '\n ', '-----BEGIN PGP SIGNATURE-----', 'U1NIU0lH', '\n\n'],
    run: async (bytes) => {
      const id = createHash('sha1').update(`commit ${bytes.length}\0`).update(bytes).digest('hex')
      await verifyCommit({ id, raw: bytes }, { ssh: signers }, 0)
      mustHold('nothing unsigned is verified', false)
    },
  },
  {
    name: 'allowed_signers',
    share: 3,
    corpus: [
      bytesOf(
        'a@b,c@d namespaces="git",valid-after="20260101" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJunvbA8LvYMt2p5RJBbDqsXl0zBdWyuFJhlrwlm5Aqd x\n',
      ),
    ],
    words: ['cert-authority', '"', ',', 'valid-before="', 'constructor '],
    run: (bytes) => parseAllowedSigners(textOf(bytes)),
  },
  {
    name: 'YAML',
    share: 1,
    corpus: yamlSeeds.map(bytesOf),
    words: yamlWords,
    maxBytes: 512,
    run: (bytes) => decode(bytes, 'a.yaml'),
  },
  {
    name: 'plain YAML',
    share: 1,
    corpus: plainSeeds.map(bytesOf),
    words: [...yamlWords, '\n', '\n  ', '- a: 1\n', 'a: ', '# ', '"', "'"],
    maxBytes: 512,
    run: (bytes) => {
      const text = textOf(bytes)
      const plain = readPlain(text, {
        limits: { ...defaultDecodeLimits, maxYamlNodes: 2_000 },
        plainScalar: undefined,
        text: decodeText(bytesOf(text), 'a.yaml', 8_192),
      })
      if (plain === undefined) return
      mustHold('what is read without the parser is what it reads', isDeepStrictEqual(plain.value, parsed(text)))
    },
  },
  {
    name: 'JSON',
    share: 8,
    corpus: jsonSeeds.map(bytesOf),
    words: jsonWords,
    run: (bytes) => {
      const [value] = decode(bytes, 'a.json')
      mustHold(
        'what is read is what JSON.parse reads',
        JSON.stringify(value) === JSON.stringify(JSON.parse(textOf(bytes))),
      )
    },
  },
  {
    name: 'JSON Pointer',
    share: 12,
    corpus: [bytesOf('/a/b~1c/~0d/0/-'), bytesOf('')],
    words: ['~', '~2', '//', '/-', '/01', '/__proto__'],
    run: (bytes) => {
      const pointer = textOf(bytes)
      mustHold('a pointer reads back', toPointer(parsePointer(pointer)) === pointer)
    },
  },
  {
    name: 'JSON Patch',
    share: 6,
    corpus: [Uint8Array.from({ length: 64 }, (_, index) => (index * 37) & 255)],
    words: [],
    run: (bytes) => {
      const document: JsonObject = { a: [1, 2], b: { c: 2 } }
      const before = JSON.stringify(document)
      try {
        applyJsonPatch(document, patchFrom(bytes))
      } finally {
        mustHold('a patch changes no document it is given', JSON.stringify(document) === before)
      }
    },
  },
  {
    name: 'differences',
    share: 4,
    corpus: [Uint8Array.from({ length: 96 }, (_, index) => (index * 29) & 255)],
    words: [],
    run: (bytes) => {
      const [before, after] = [jsonFrom(bytes.subarray(bytes.length >> 1)), jsonFrom(bytes)]
      const isSame = diffJson(before, after).length === 0
      mustHold(
        'no difference in one direction means none in the other',
        isSame === (diffJson(after, before).length === 0),
      )
    },
  },
  {
    name: 'managedFields',
    share: 4,
    corpus: [
      '{"metadata":{"managedFields":[{"manager":"m","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:list":{"k:{\\"name\\":\\"x\\"}":{".":{},"f:v":{}},"v:1":{},"i:0":{}}}}}]},"spec":{"list":[{"name":"x","v":1},1]}}',
    ].map(bytesOf),
    words: [
      '"f:__proto__":{}',
      '"k:{":{}',
      '"v:[":{}',
      '"i:-1":{}',
      '"i:99999999999":{}',
      '".":{}',
      'null',
      '[]',
      '"k:{\\"__proto__\\":1}":{}',
    ],
    run: (bytes) => {
      const object = decode(bytes, 'a.json')[0] ?? {}
      for (const { fields } of managersOf(object)) {
        project(object, fields)
        for (const step of Object.keys(fields)) follow(object, step)
      }
    },
  },
  {
    name: 'plan JSON',
    share: 3,
    corpus: [
      '{"resource_changes":[{"address":"a.b[0]","mode":"managed","type":"a","change":{"actions":["update"],"before":{"x":1,"p":"fuzz-canary"},"after":{"x":2,"p":"fuzz-canary"},"after_unknown":{},"before_sensitive":{"p":true},"after_sensitive":{"p":true}}}],"output_changes":{"o":{"actions":["create"],"after":"v","after_sensitive":true}}}',
    ].map(bytesOf),
    words: ['"before_sensitive":', 'true', 'null', '[]', '{}', '"actions":["delete","create"]', '"__proto__":', '-1'],
    run: (bytes) => {
      // As far as JSON goes, the binary is believed; that it is an object of the right shape is the promise of its format.
      const plan = decode(bytes, 'plan.json')[0] as PlanJson | undefined
      if (plan === undefined || !isPlan(plan)) return
      const redactor = createRedactor([])
      learnSecrets(plan, redactor)
      const text = JSON.stringify(plan)
      const bothHide = ['before', 'after'].every((side) => text.includes(`"${side}_sensitive":{"p":true}`))
      // Elsewhere it is an ordinary value.
      const isElsewhere = text.replaceAll('"p":"fuzz-canary"', '').includes('"fuzz-canary"')
      const said = JSON.stringify(redactor.value(JSON.parse(JSON.stringify(verdictOf(plan, seal)))))
      const isSaid = bothHide && !isElsewhere && said.includes('"fuzz-canary"')
      mustHold('what both masks hide is not in the verdict', !isSaid)
    },
  },
  {
    name: 'HCL',
    share: 8,
    corpus: [
      'resource "a" "b" {\n  provisioner "local-exec" { command = "x${y["z"]}" }\n  t = <<-EOT\n    ${a}\n  EOT\n}\n',
      'module "m" { source = "./x" } # c\n/* d */ a = "\\u0041$${b}"\n',
    ].map(bytesOf),
    words: ['<<EOT\n', 'EOT\n', '${', '%{', '$${', '"', '\\u', '/*', '*/', '#', '{', '}', 'provisioner "local-exec" {'],
    run: (bytes) => tokensOf(textOf(bytes), 'main.tf'),
  },
  {
    name: 'packed charts',
    share: 2,
    corpus: [tarOf('x/Chart.yaml', '0'), tarOf('../x', '0'), tarOf('x/l', '2')],
    words: ['../', '/', '\0\0\0\0', '0000644', 'ustar', 'path=../x\n'],
    run: (bytes) => checkArchive(packed(bytes), 'charts/x.tgz', { maxFiles: 10, maxBytes: 65_536 }),
  },
  {
    name: 'rules with patterns',
    share: 8,
    corpus: [bytesOf('/a/*/b\n/a/x/b'), bytesOf('**/a/**\n/a')],
    words: ['*', '/*', '**', '~1', '\n', '*a*a*a'],
    run: (bytes) => {
      const [pattern = '', text = ''] = textOf(bytes).split('\n')
      matchesPattern(pattern, text)
      ruleThatIgnores([{ paths: [pattern] }], { kind: 'x', name: 'y' }, text, undefined)
    },
  },
  {
    name: 'addresses',
    share: 12,
    corpus: ['127.0.0.1', '::ffff:10.0.0.1', '2001:db8::1'].map(bytesOf),
    words: ['::', '.', ':', '0x', '%', 'ffff', '/8'],
    run: (bytes) => classifyAddress(textOf(bytes)),
  },
  {
    name: 'webhook bodies',
    share: 0.6,
    corpus: [
      '{"repository":{"clone_url":"https://git.example/acme/shop.git","pushed_at":1},"commits":[]}',
      '{"project":{"git_ssh_url":"git@git.example:acme/shop.git"}}',
    ].map(bytesOf),
    words: jsonWords,
    run: async (bytes) => {
      const { status } = await askWebhook(bytes)
      mustHold('a signed body is accepted or refused, never a failure', status === 202 || status === 400)
    },
  },
]

const seal = createSeal(new Uint8Array(32).fill(7))

/** What the format of the binary promises of a plan. */
function isPlan({ resource_changes = [], resource_drift = [], output_changes = {}, ...rest }: PlanJson): boolean {
  if (!Array.isArray(resource_changes) || !Array.isArray(resource_drift)) return false
  if (typeof output_changes !== 'object' || output_changes === null) return false
  const changes = [...resource_changes, ...resource_drift]
  const hasActions = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && 'actions' in value && Array.isArray(value.actions)
  const isChange = (each: unknown): boolean =>
    typeof each === 'object' &&
    each !== null &&
    'address' in each &&
    typeof each.address === 'string' &&
    'change' in each &&
    hasActions(each.change)
  return (
    changes.every((each) => isChange(each)) &&
    Object.values(output_changes).every(hasActions) &&
    Object.keys(rest).length === 0
  )
}

function tarOf(name: string, type: string): Uint8Array {
  const header = Buffer.alloc(TAR_BLOCK_BYTES)
  header.write(name, 0)
  header.write('0000644', 100)
  header.write('00000000000', 124)
  header.write(type, 156)
  header.write('ustar\u000000', 257)
  return Buffer.concat([header, Buffer.alloc(2 * TAR_BLOCK_BYTES)])
}

/** With the right checksum in every header, so that what is behind it is reached. */
function packed(bytes: Uint8Array): Uint8Array {
  const tar = Buffer.from(bytes)
  for (let at = 0; at + TAR_BLOCK_BYTES <= tar.length; at += TAR_BLOCK_BYTES) {
    const header = tar.subarray(at, at + TAR_BLOCK_BYTES)
    const sum = header.fill(0x20, 148, 156).reduce((total, byte) => total + byte, 0)
    // All blank but for the checksum is the end of the archive.
    if (sum === 8 * 0x20) header.fill(0, 148, 156)
    else header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  }
  return gzipSync(tar, { level: 0 })
}

/** The first document as the parser for all of YAML reads it, to which a mark in another form leaves the whole file. */
function parsed(text: string): JsonObject | undefined {
  try {
    return decode(bytesOf(`${text}\n--- # other\n{x: 1}\n`), 'a.yaml')[0]
  } catch {
    // Refused: nothing is equal to that.
    return undefined
  }
}

function decode(bytes: Uint8Array, path: string): readonly JsonObject[] {
  return [...decodeDocuments(bytes, path, { maxYamlNodes: 2_000 })].map(({ body }) => body)
}
