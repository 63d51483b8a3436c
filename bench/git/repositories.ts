import { seededRandom } from '@gitops-sdk/core'
import type { ServedRepository } from '@gitops-sdk/core/testing/git'
import type { BenchServer } from './start-server.ts'

/** A file as teams write them: some YAML of 200 to 1,200 bytes. */
export function manifest(seed: number): string {
  const random = seededRandom(seed)
  const lines = Array.from(
    { length: 8 + Math.floor(random.next() * 30) },
    (_, line) => `  key${line}: value-${Math.floor(random.next() * 1e9)}`,
  )
  return `apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: thing-${seed}\nspec:\n${lines.join('\n')}\n`
}

/** Folder of 250 files that an application of the monorepo reads. */
export const onePath = 'teams/team-1'

export function pathOf(file: number): string {
  return `teams/team-${Math.floor(file / 250)}/app-${Math.floor(file / 10) % 25}/file-${file % 10}.yaml`
}

/** A repository of `files` files and `commits` commits, the same for everybody who makes it. */
export async function monorepo(server: BenchServer, files: number, commits: number): Promise<ServedRepository> {
  const repository = await server.createRepository(`mono-${files}`)
  await repository.commit(
    Object.fromEntries(Array.from({ length: files }, (_, file) => [pathOf(file), manifest(file)])),
  )
  for (let commit = 1; commit <= commits; commit++)
    await repository.commit({ [pathOf((commit * 37) % files)]: manifest(files + commit) })
  await repository.git('repack', '-adfq')
  return repository
}
