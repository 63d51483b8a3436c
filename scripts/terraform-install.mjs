// Builds OpenTofu, pinned by packages/terraform-adapter/tools/opentofu/go.mod, into the user's cache. Once.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cache } from './cache.mjs'

const version = '1.12.6'
const folder = join(cache, 'tools', `opentofu-${version}`)
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
