// Builds OpenTofu, pinned by packages/terraform-adapter/tools/opentofu/go.mod, into the user's cache. Once.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

const version = '1.12.6'
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const folder = join(cache, 'gitops-sdk', 'tools', `opentofu-${version}`)
const binary = join(folder, 'tofu')

if (!existsSync(binary)) {
  mkdirSync(folder, { recursive: true })
  const unfinished = `${binary}.${process.pid}`
  const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', unfinished]
  execFileSync('go', [...args, 'github.com/opentofu/opentofu/cmd/tofu'], {
    cwd: resolve('packages/terraform-adapter/tools/opentofu'),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  renameSync(unfinished, binary)
}
console.log(`OpenTofu ${version}: ${binary}`)
