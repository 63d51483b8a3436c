import semver from 'semver'
import { GitOpsError } from '../../runtime/errors.ts'

/** Throws `CONFIG_INVALID` for what is not a range of versions. */
export function assertRange(range: string): void {
  if (semver.validRange(range) === null || range.trim() === '')
    throw new GitOpsError(
      'CONFIG_INVALID',
      `${JSON.stringify(range)} is not a range of versions, such as ^1.4 or >=2 <3.`,
    )
}

/**
 * Those of `names` (`v1.2.0`, `1.2.0`) that hold the highest version in `range`: more than one when
 * they differ only in build metadata, none when no version is in the range.
 */
export function highestVersions(
  names: readonly string[],
  range: string,
  includePrerelease: boolean,
): readonly string[] {
  const inRange = names.flatMap((name) => {
    const version = parse(name)
    return version !== null && semver.satisfies(version, range, { includePrerelease }) ? [{ name, version }] : []
  })
  const sorted = inRange.toSorted((left, right) => semver.compare(right.version, left.version))
  const highest = sorted[0]?.version
  return highest === undefined
    ? []
    : sorted.filter(({ version }) => semver.compare(version, highest) === 0).map(({ name }) => name)
}

/** Whether the version in `name` is lower than the one in `other`. */
export function isLowerVersion(name: string, other: string): boolean {
  const left = parse(name)
  const right = parse(other)
  return left !== null && right !== null && semver.compare(left, right) < 0
}

function parse(name: string): semver.SemVer | null {
  return semver.parse(name.replace(/^v(?=\d)/, ''))
}
