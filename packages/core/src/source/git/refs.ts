import { GitOpsError } from '../../runtime/errors.ts'
import type { RemoteRef } from './protocol/advertisement.ts'
import { assertRefName } from './ref-name.ts'
import { assertRange, highestVersions } from './versions.ts'

/**
 * Which revision a source follows. A string is the name of a branch or tag, a full ref name, or a
 * full or shortened commit id; a name that is both branch and tag is refused as ambiguous.
 */
export type GitRef =
  | string
  | { readonly branch: string }
  | { readonly tag: string }
  | { readonly commit: string }
  /** The highest tag in a range, such as `^1.4` or `>=2 <3`. `includePrerelease` also takes `1.5.0-rc.1`. */
  | { readonly semver: string; readonly includePrerelease?: boolean }

/** A `GitRef`, checked and taken apart. */
export type RefQuery =
  | {
      readonly kind: 'name'
      readonly name: string
      readonly prefixes: readonly string[]
      readonly full: readonly string[]
    }
  | { readonly kind: 'commit'; readonly name: string; readonly digits: string }
  | {
      readonly kind: 'semver'
      readonly name: string
      readonly includePrerelease: boolean
      readonly prefixes: readonly string[]
    }

const MIN_SHORT_COMMIT = 4

/** Throws `CONFIG_INVALID` for what cannot be a ref. */
export function parseRef(ref: GitRef): RefQuery {
  if (typeof ref === 'string') return parseName(ref)
  if ('semver' in ref) return parseRange(ref.semver, ref.includePrerelease === true)
  if ('commit' in ref) return parseCommitId(ref.commit)
  if ('branch' in ref) return exact(ref.branch, [`refs/heads/${ref.branch}`])
  return exact(ref.tag, [`refs/tags/${ref.tag}`])
}

function parseName(name: string): RefQuery {
  assertRefName(name)
  if (/^[0-9a-f]{40}$/i.test(name)) return parseCommitId(name)
  if (name === 'HEAD' || name.startsWith('refs/')) return exact(name, [name])
  return exact(name, [`refs/heads/${name}`, `refs/tags/${name}`])
}

function exact(name: string, full: readonly string[]): RefQuery {
  for (const one of [name, ...full]) assertRefName(one)
  return { kind: 'name', name, full, prefixes: full }
}

function parseCommitId(commit: string): RefQuery {
  if (!/^[0-9a-f]{4,40}$/i.test(commit))
    throw new GitOpsError('CONFIG_INVALID', `${JSON.stringify(commit)} is not a commit id: 4 to 40 hexadecimal digits.`)
  return { kind: 'commit', name: commit, digits: commit.toLowerCase() }
}

function parseRange(range: string, includePrerelease: boolean): RefQuery {
  assertRange(range)
  return { kind: 'semver', name: range, includePrerelease, prefixes: ['refs/tags/'] }
}

/** A ref that was chosen, and the commit it leads to. */
export interface ChosenRef {
  /** Full name of the ref, or the commit id. */
  readonly ref: string
  /** What people call it: `main`, `v1.4.2`. */
  readonly name: string
  readonly oid: string
  /** The annotated tag object that leads to the commit. */
  readonly tag?: string
}

/** Whether `name` may also be a shortened commit id. */
export function looksLikeCommit(name: string): boolean {
  return name.length >= MIN_SHORT_COMMIT && /^[0-9a-f]{4,40}$/.test(name)
}

/** Picks by exact name. `undefined` when there is none; throws `REVISION_AMBIGUOUS` when there are two. */
export function chooseByName(query: RefQuery & { kind: 'name' }, refs: readonly RemoteRef[]): ChosenRef | undefined {
  const found = refs.filter(({ name, oid }) => oid !== undefined && query.full.includes(name))
  const [first, second] = found
  if (first?.oid === undefined) return undefined
  if (second !== undefined)
    throw new GitOpsError(
      'REVISION_AMBIGUOUS',
      `${query.name} is a branch and a tag. Write ${found.map(({ name }) => name).join(' or ')}.`,
      { details: { candidates: found.map(({ name }) => name) } },
    )
  return chosen(first, query.name)[0]
}

const TAGS = 'refs/tags/'

/** All tags of the highest version in the range: more than one when they differ only in build metadata. */
export function chooseByVersion(
  query: RefQuery & { kind: 'semver' },
  refs: readonly RemoteRef[],
): readonly ChosenRef[] {
  const tags = new Map(
    refs.filter(({ name }) => name.startsWith(TAGS)).map((ref) => [ref.name.slice(TAGS.length), ref]),
  )
  return highestVersions([...tags.keys()], query.name, query.includePrerelease).flatMap((name) => {
    const ref = tags.get(name)
    return ref === undefined ? [] : chosen(ref, name)
  })
}

/** The ref with the commit it leads to; nothing for one that leads nowhere. */
function chosen({ name: ref, oid, peeled }: RemoteRef, name: string): readonly ChosenRef[] {
  if (oid === undefined) return []
  return [peeled === undefined ? { ref, name, oid } : { ref, name, oid: peeled, tag: oid }]
}

/** The refs that lead to `commit`. */
export function refsTo(commit: string, refs: readonly RemoteRef[]): readonly ChosenRef[] {
  return refs.flatMap((ref) => chosen(ref, ref.name)).filter(({ oid }) => oid === commit)
}

/** Up to five names that are close to `wanted`, closest first. */
export function nearbyNames(wanted: string, refs: readonly RemoteRef[]): readonly string[] {
  return refs
    .map(({ name }) => name.replace(/^refs\/(heads|tags)\//, ''))
    .filter((name) => name !== 'HEAD')
    .map((name) => ({ name, distance: distance(wanted.toLowerCase(), name.toLowerCase()) }))
    .toSorted((left, right) => left.distance - right.distance || (left.name < right.name ? -1 : 1))
    .slice(0, 5)
    .map(({ name }) => name)
}

/** Levenshtein distance over the first 64 characters. */
function distance(left: string, right: string): number {
  const a = left.slice(0, 64)
  const b = right.slice(0, 64)
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
