/** The member `key` of `value` where it is one of its own; never what it inherits. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined), value)
}

/** The texts among `values`. */
export function texts(...values: readonly unknown[]): readonly string[] {
  return values.filter((value): value is string => typeof value === 'string' && value !== '' && value.length <= 2048)
}

/** The one form in which addresses of repositories are compared: host and path, without protocol, user and `.git`. */
export function repositoryKey(address: string): string | undefined {
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(address)
  const url = scp === null ? address : `ssh://${scp[1]}/${scp[2]}`
  if (address.length > 2048 || !URL.canParse(url)) return undefined
  const { hostname, pathname } = new URL(url)
  const path = pathname.replace(/\/+$/, '').replace(/\.git$/i, '')
  return hostname === '' || path === '' ? undefined : `${hostname}${path}`.toLowerCase()
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
