// What `pnpm test` leaves out, said in one line, so that nobody takes it for tested.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const onPath = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['tofu', 'terraform'].map((name) => join(folder, name)))
const places = [
  process.env.TERRAFORM_BIN ?? '',
  join(cache, 'gitops-sdk', 'tools', 'opentofu-1.12.6', 'tofu'),
  ...onPath,
]
console.log(
  places.some((path) => path !== '' && existsSync(path))
    ? 'The Terraform suite was run over recordings; `pnpm test:terraform` runs it on the real binary.'
    : 'The Terraform suite was run over recordings: there is no terraform and no tofu here. `pnpm terraform:install` builds one, `pnpm test:terraform` runs the real suite.',
)
