// Makes the encrypted files with the real sops program (path in SOPS). Run by hand; the results are committed.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import * as age from 'age-encryption'

const identity = await age.generateX25519Identity()
const recipient = await age.identityToRecipient(identity)
writeFileSync('identity.txt', `${identity}\n`)
const secret = `# a comment
apiVersion: v1
kind: Secret
metadata:
  name: shop
  labels: {tier: web, "10": ten, "2": two}
stringData:
  password: hunter2-é"\\
  empty: ""
  multi: |
    line one
    line two
  "2": second
  "10": tenth
data:
  count: 3
  ratio: 1.5
  flag: true
  off: false
  nothing: null
  list: [one, two, 3]
  nested:
    - name: a
      value: b
`
const files = {
  'secret.yaml': [secret, ['--encrypted-regex', '^(data|stringData)$']],
  'mac-only.yaml': [secret, ['--encrypted-regex', '^(data|stringData)$', '--mac-only-encrypted']],
  'all.yaml': [secret, []],
  'two.yaml': [`${secret}---\nkind: ConfigMap\ndata:\n  a: b\n`, ['--encrypted-regex', '^(data|stringData)$']],
  'secret.json': [
    JSON.stringify({ kind: 'Secret', stringData: { password: 'hunter2-é"\\', 10: 'x', 2: 'y' }, n: 1 }, null, 2),
    ['--encrypted-regex', '^stringData$'],
  ],
}
for (const [name, [content, options]] of Object.entries(files)) {
  writeFileSync(name, content)
  const args = ['--disable-version-check', '--encrypt', '--in-place', '--age', recipient, ...options.concat(name)]
  execFileSync(process.env.SOPS, args)
}
