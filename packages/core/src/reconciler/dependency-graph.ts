import { GitOpsError } from '../runtime/errors.ts'
import { nearest } from './nearest.ts'

/** Which applications depend on which, by name. */
export type DependencyGraph = ReadonlyMap<string, readonly string[]>

/**
 * Throws `DEPENDENCY_UNKNOWN` when an application depends on one that is not there, and
 * `DEPENDENCY_CYCLE`, naming the path, when one depends on itself in the end.
 */
export function checkDependencies(graph: DependencyGraph): void {
  for (const [name, dependsOn] of graph) {
    const unknown = dependsOn.find((dependency) => !graph.has(dependency))
    if (unknown !== undefined) throw unknownDependency(name, unknown, [...graph.keys()])
  }
  const cycle = findCycle(graph)
  if (cycle !== undefined) throw cyclic(cycle)
}

/** The names on the first cycle, in the order of the dependency, the first one repeated at the end. */
export function findCycle(graph: DependencyGraph): readonly string[] | undefined {
  const done = new Set<string>()
  for (const start of graph.keys()) {
    const cycle = searchFrom(start, graph, done)
    if (cycle !== undefined) return cycle
  }
  return undefined
}

/** Depth first, with a list of our own instead of the call stack: a chain may be long. */
function searchFrom(start: string, graph: DependencyGraph, done: Set<string>): readonly string[] | undefined {
  const path: string[] = []
  const onPath = new Set<string>()
  const todo: { readonly name: string; readonly leaving: boolean }[] = [{ name: start, leaving: false }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { name, leaving } = next
    if (leaving) {
      path.pop()
      onPath.delete(name)
      done.add(name)
    } else if (onPath.has(name)) {
      return [...path.slice(path.indexOf(name)), name]
    } else if (!done.has(name)) {
      path.push(name)
      onPath.add(name)
      todo.push(
        { name, leaving: true },
        ...(graph.get(name) ?? []).toReversed().map((each) => ({ name: each, leaving: false })),
      )
    }
  }
  return undefined
}

function unknownDependency(name: string, unknown: string, names: readonly string[]): GitOpsError {
  const near = nearest(unknown, names)
  const hint = near === undefined ? 'Add it, or remove the dependency.' : `Did you mean ${near}?`
  const message = `The application ${name} depends on ${unknown}, which is not there. ${hint}`
  return new GitOpsError('DEPENDENCY_UNKNOWN', message, { details: { application: name, dependency: unknown } })
}

function cyclic(cycle: readonly string[]): GitOpsError {
  const message = `Applications depend on each other in a circle: ${cycle.join(' → ')}. Remove one of these dependencies.`
  return new GitOpsError('DEPENDENCY_CYCLE', message, { details: { cycle } })
}
