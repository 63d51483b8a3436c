import { GitOpsError } from '../../runtime/errors.ts'
import { isOid } from './objects.ts'

/** A commit, as far as a reader needs it. */
export interface GitCommit {
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: string
  /** When it was committed, in epoch milliseconds. */
  readonly committedAt: number
  /** The whole message. */
  readonly message: string
}

/** Reads a commit object. Throws `SOURCE_CORRUPT` when it is damaged. */
export function parseCommit(data: Buffer): GitCommit {
  const text = data.toString('utf8')
  const end = text.indexOf('\n\n')
  const lines = (end < 0 ? text : text.slice(0, end)).split('\n')
  const values = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1))
  const [tree = ''] = values('tree')
  const parents = values('parent')
  if (!isOid(tree) || !parents.every(isOid)) throw new GitOpsError('SOURCE_CORRUPT', 'A commit object is damaged.')
  const person = parsePerson(values('committer')[0] ?? '')
  return {
    tree,
    parents,
    author: parsePerson(values('author')[0] ?? '').who,
    committedAt: person.at,
    message: end < 0 ? '' : text.slice(end + 2),
  }
}

/** `Name <mail> seconds zone`. */
function parsePerson(text: string): { readonly who: string; readonly at: number } {
  const match = /^(.*?) ?(-?\d+) [+-]\d{4}$/.exec(text)
  return { who: match?.[1] ?? text, at: Number(match?.[2] ?? 0) * 1000 }
}
