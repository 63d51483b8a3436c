// What `pnpm test` leaves out, said in one line each, so that nobody takes it for tested.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cache } from './cache.mjs'

const assets = process.env.KUBEBUILDER_ASSETS || join(cache, 'cluster', 'current')
const path = (process.env.PATH ?? '').split(delimiter)
const onPath = (name) => path.some((folder) => existsSync(join(folder, name)))

const suites = [
  {
    name: 'real cluster',
    command: 'test:cluster',
    part: 'kube-apiserver',
    install: '`pnpm cluster:install` builds one',
    isThere: existsSync(process.env.KUBE_APISERVER_BIN || join(assets, 'kube-apiserver')),
  },
  {
    name: 'real databases',
    command: 'test:store',
    part: 'PostgreSQL',
    install: 'install it from your packages',
    isThere: Boolean(process.env.POSTGRES_BIN) || existsSync('/usr/lib/postgresql') || onPath('initdb'),
  },
  {
    name: 'real Git servers',
    command: 'test:git',
    part: 'sshd',
    install: '`pnpm git:install` brings one',
    isThere: existsSync('/usr/sbin/sshd'),
  },
]

for (const { name, command, part, install, isThere } of suites) {
  const why = isThere ? '' : `: there is no ${part} here, and ${install}`
  console.log(`Not run: ${name}${why}. \`pnpm ${command}\` runs it.`)
}

const binaries = [process.env.TERRAFORM_BIN ?? '', join(cache, 'tools', 'opentofu-1.12.6', 'tofu')]
const hasTerraform = onPath('tofu') || onPath('terraform') || binaries.some((file) => file !== '' && existsSync(file))
console.log(
  hasTerraform
    ? 'The Terraform suite was run over recordings; `pnpm test:terraform` runs it on the real binary.'
    : 'The Terraform suite was run over recordings: there is no terraform and no tofu here. `pnpm terraform:install` builds one, `pnpm test:terraform` runs the real suite.',
)
