import { type MemoryFiles, type RunCall, createCall, memorySource, Secret } from '@gitops-sdk/core'
import { describe, expect, test } from 'vitest'
import { type Cli, type ModuleRestrictions, memoryBlobs, terraformTarget } from '../src/index.ts'

const call: RunCall = { ...createCall(), application: 'shop', inputs: {} }

/** The binary must not be asked for anything. */
const never: Cli = {
  binary: '/nowhere/tofu',
  run: async ({ args }) => {
    throw new Error(`The binary was run: ${args.join(' ')}`)
  },
}

async function declare(files: MemoryFiles, restrict: ModuleRestrictions = {}, path = ''): Promise<unknown> {
  const source = memorySource({ files })
  await using target = terraformTarget({
    binary: never,
    folder: '/nowhere',
    path,
    store: memoryBlobs(),
    encryptionKey: new Secret(Buffer.alloc(32, 1).toString('base64')),
    restrict,
  }) as ReturnType<typeof terraformTarget> & AsyncDisposable
  return target.declare(await source.snapshot(await source.resolve(call), call), call)
}

const resource = (inside: string): string => `resource "terraform_data" "a" {\n${inside}\n}\n`
const denied = (rule: string): object => ({
  code: 'POLICY_DENIED',
  retryable: false,
  details: { rule: `restrict.${rule}` },
})

describe('T01: what would run a program is refused before the binary is asked', () => {
  const programs: readonly (readonly [what: string, text: string])[] = [
    ['local-exec', resource('  provisioner "local-exec" {\n    command = "id"\n  }')],
    ['remote-exec', resource('  provisioner "remote-exec" {\n    inline = ["id"]\n  }')],
    ['one without quotes', resource('  provisioner local-exec {\n    command = "id"\n  }')],
    ['one spelt with escapes', resource('  provisioner "local\\u002dexec" {\n    command = "id"\n  }')],
    ['one behind a comment', resource('  provisioner /* harmless\n */ "local-exec" { command = "id" }')],
    ['one behind a commented quote', `# "\n${resource('  provisioner "local-exec" { command = "id" }')}# "\n`],
    ['one that runs at the end', resource('  provisioner "local-exec" {\n    when = destroy\n    command = "id"\n  }')],
    ['one of an unknown kind', resource('  provisioner "chef" {\n  }')],
    [
      'one behind a heredoc',
      `locals {\n  a = <<X\n"{ \${"X"} <<Y\nX\n}\n${resource('  provisioner "local-exec" {\n  }')}`,
    ],
    [
      'one behind a heredoc that seems to end in its template',
      `locals {\n  a = <<X\n\${\nX\n}\n <<HIDE\nX\n}\n${resource('  provisioner "local-exec" {\n  }')}HIDE\n`,
    ],
    [
      'one behind a template in a string',
      `locals {\n  a = "\${"}"}\${"{\\""}"\n}\n${resource('  provisioner "local-exec" {\n  }')}`,
    ],
    ['an external data source', 'data "external" "a" {\n  program = ["id"]\n}\n'],
    ['an external data source in a check', 'check "a" {\n  data "external" "b" {\n    program = ["id"]\n  }\n}\n'],
    ['an action that runs a command', 'action "local_command" "a" {\n}\n'],
    [
      'one with a byte order mark and Windows lines',
      `\ufeff${resource('  provisioner "local-exec" {\n  }').replaceAll('\n', '\r\n')}`,
    ],
  ]
  test.each(programs)('%s', async (_what, text) => {
    await expect(declare({ 'main.tf': text })).rejects.toMatchObject(denied('programs'))
    await expect(declare({ 'main.tf': '', 'modules/a/x.tofu': text })).rejects.toMatchObject(denied('programs'))
  })

  const json: readonly (readonly [what: string, value: object, rule: string])[] = [
    ['local-exec', { resource: { terraform_data: { a: { provisioner: { 'local-exec': {} } } } } }, 'programs'],
    [
      'local-exec in lists',
      { resource: [{ terraform_data: [{ a: [{ provisioner: [{ 'local-exec': {} }] }] }] }] },
      'programs',
    ],
    ['an external data source', { data: { external: { a: { program: ['id'] } } } }, 'programs'],
    ['a module from elsewhere', { module: { a: { source: 'git::ext::sh -c id' } } }, 'modules'],
    [
      'a provider from elsewhere',
      { terraform: { required_providers: { a: { source: 'evil.example/a/b' } } } },
      'providers',
    ],
  ]
  test.each(json)('in JSON: %s', async (_what, value, rule) => {
    await expect(declare({ 'main.tf.json': JSON.stringify(value) })).rejects.toMatchObject(denied(rule))
  })

  const elsewhere = [
    '"git::ext::sh -c id"',
    '"git::https://git.example/a.git"',
    '"hashicorp/consul/aws"',
    '"/etc"',
    '"..\\\\x"',
    '"https://git.example/a.zip"',
    '"${var.a}"',
    'var.a',
    '("git::ext::id")',
  ]
  test.each(elsewhere)('a module from elsewhere: %s', async (source) => {
    await expect(declare({ 'main.tf': `module "a" {\n  source = ${source}\n}\n` })).rejects.toMatchObject(
      denied('modules'),
    )
    await expect(declare({ 'main.tf': `module "a" { source = ${source} }\n` })).rejects.toMatchObject(denied('modules'))
  })

  test('a local module outside of the source, however it is spelt', async () => {
    for (const source of ['"\\u002e\\u002e/other-tenant"', '/* near */ "../other-tenant"', '"./../other-tenant"'])
      await expect(declare({ 'main.tf': `module "a" {\n  source = ${source}\n}\n` })).rejects.toMatchObject({
        code: 'DECLARATION_INVALID',
      })
  })

  test('a module of another tenant, outside of the source', async () => {
    const main = 'module "a" {\n  source = "../../../other-tenant"\n}\n'
    await expect(declare({ 'prod/main.tf': main }, {}, 'prod')).rejects.toMatchObject({ code: 'DECLARATION_INVALID' })
  })

  test('a provider of an unknown registry, in the module or in its lock file', async () => {
    const required =
      'terraform {\n  required_providers {\n    a = {\n      source = "evil.example/a/b"\n    }\n  }\n}\n'
    await expect(declare({ 'main.tf': required })).rejects.toMatchObject(denied('providers'))
    const inOneLine =
      'terraform {\n  required_providers {\n    a = { version = "1", "source" : "evil.example/a/b" }\n  }\n}\n'
    await expect(declare({ 'main.tf': inOneLine })).rejects.toMatchObject(denied('providers'))
    const lock = 'provider "evil.example/a/b" {\n  version = "1.0.0"\n}\n'
    await expect(declare({ 'main.tf': '', '.terraform.lock.hcl': lock })).rejects.toMatchObject(denied('providers'))
    const allowed = { providers: ['evil.example/a/*'] }
    await expect(declare({ 'main.tf': required, '.terraform.lock.hcl': lock }, allowed)).resolves.toBeDefined()
  })

  const unreadable = ['a = "', 'a = "\\q"', 'a = <<X\n', 'a = "${', 'a = "$$${b}"', 'a = "\\U00110000"']
  test.each(unreadable)('what cannot be read is not let through: %j', async (text) => {
    await expect(declare({ 'main.tf': text })).rejects.toMatchObject({ code: 'DECLARATION_INVALID' })
  })

  test('a folder in which the binary keeps what it decided', async () => {
    const files = { 'main.tf': '', '.terraform/environment': 'another-workspace' }
    await expect(declare(files)).rejects.toMatchObject({ code: 'DECLARATION_INVALID' })
  })

  test('an ordinary module passes, and what is allowed by name as well', async () => {
    const ordinary = `
terraform {
  required_providers { aws = { source = "hashicorp/aws", version = "~> 5" } }
}
locals {
  # data "external" in a comment, and provisioner "local-exec" {
  text = "data \\"external\\" \${join(",", ["a", "{"])} provisioner"
  long = <<-EOT
    provisioner "local-exec" {
    \${jsonencode({ data = "external" })}
    EOT
  source = "git::https://not.a/module"
}
module "local" {
  source = "./modules/a"
}
resource "aws_s3_object" "x" {
  source = "git::not-a-module"
  provisioner "file" {
    source = "a"
  }
}
output "x" { value = data.external.x }
`
    const files = { 'main.tf': ordinary, 'modules/a/main.tf': '', 'x.auto.tfvars': 'provisioner = "local-exec"' }
    await expect(declare(files)).resolves.toBeDefined()
    const module = 'module "a" {\n  source = "hashicorp/consul/aws"\n}\n'
    await expect(declare({ 'main.tf': module }, { modules: ['hashicorp/*'] })).resolves.toBeDefined()
    await expect(declare({ 'main.tf': 'data "external" "a" {}\n' }, { programs: 'allow' })).resolves.toBeDefined()
  })

  test('rules about providers need a lock file that nobody writes', () => {
    const options = { binary: never, folder: '/nowhere', restrict: {}, lockFile: 'update' as const }
    expect(() => terraformTarget(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
