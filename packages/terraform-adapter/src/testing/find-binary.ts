import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Where `pnpm terraform:install` puts the binary. */
export function installedBinary(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gitops-sdk', 'tools', 'opentofu-1.12.6', 'tofu')
}

/** The binary tests run: `TERRAFORM_BIN`, the installed OpenTofu, or `tofu` or `terraform` on `PATH`. */
export function findBinary(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env['TERRAFORM_BIN'] !== undefined) return env['TERRAFORM_BIN']
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const onPath = ['tofu', 'terraform'].flatMap((name) => folders.map((folder) => join(folder, name)))
  return [installedBinary(env), ...onPath].find((path) => existsSync(path))
}
