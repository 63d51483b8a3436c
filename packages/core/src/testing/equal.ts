/** Are both the same plain data, whatever the order of keys? Members that are undefined count as absent. */
export function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (isCollection(left) || isCollection(right))
    return isCollection(left) && isCollection(right) && sameList([...left], [...right])
  if (Array.isArray(left) || Array.isArray(right))
    return Array.isArray(left) && Array.isArray(right) && sameList(left, right)
  return sameMembers(left, right)
}

function isCollection(value: object): value is Iterable<unknown> {
  return value instanceof Map || value instanceof Set || value instanceof Uint8Array
}

function sameList(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((item, index) => isSame(item, right[index]))
}

function sameMembers(left: object, right: object): boolean {
  const members = (value: object): Map<string, unknown> =>
    new Map(Object.entries(value).filter(([, member]) => member !== undefined))
  const ours = members(left)
  const theirs = members(right)
  if (ours.size !== theirs.size) return false
  return [...ours].every(([key, member]) => theirs.has(key) && isSame(member, theirs.get(key)))
}
