import type { Source } from '../source/source.ts'
import type { Member } from './member.ts'

/** The applications of a reconciler by name, in the order they were added. Each question costs what its answer holds. */
export interface Members extends ReadonlyMap<string, Member> {
  add(member: Member): void
  remove(member: Member): void
  /** The applications that depend on `name`, whether there is one of that name or not. */
  dependentsOf(name: string): readonly Member[]
  /** The applications that read `source`. */
  readersOf(source: Source): readonly Member[]
}

/** No applications yet. */
export function createMembers(): Members {
  const byName = new Map<string, Member>()
  const dependents = new Map<string, Set<Member>>()
  const readers = new Map<Source, Set<Member>>()
  return Object.assign(byName, {
    add: (member: Member) => {
      byName.set(member.name, member)
      put(readers, member.source, member)
      for (const name of member.application.dependsOn ?? []) put(dependents, name, member)
    },
    remove: (member: Member) => {
      byName.delete(member.name)
      drop(readers, member.source, member)
      for (const name of member.application.dependsOn ?? []) drop(dependents, name, member)
    },
    dependentsOf: (name: string) => [...(dependents.get(name) ?? [])],
    readersOf: (source: Source) => [...(readers.get(source) ?? [])],
  })
}

function put<K>(index: Map<K, Set<Member>>, key: K, member: Member): void {
  const found = index.get(key)
  if (found === undefined) index.set(key, new Set([member]))
  else found.add(member)
}

function drop<K>(index: Map<K, Set<Member>>, key: K, member: Member): void {
  const found = index.get(key)
  found?.delete(member)
  if (found?.size === 0) index.delete(key)
}
