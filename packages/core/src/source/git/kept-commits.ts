import type { KeptCommits } from './download.ts'

/** Remembers the `maxCount` commits that were used last. */
export function createKeptCommits(maxCount: number): KeptCommits {
  let list: readonly string[] = []
  return {
    get list() {
      return list
    },
    has: (commit) => list.includes(commit),
    use: (commit) => {
      if (list[0] === commit) return
      list = [commit, ...list.filter((one) => one !== commit)].slice(0, maxCount)
    },
    keepOnly: (commits) => {
      list = commits.slice(0, maxCount)
    },
  }
}
