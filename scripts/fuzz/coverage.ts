import { type Node, parse } from 'acorn'

/** Code that counts which of its branches are taken, in a `Uint8Array` called `__taken`. */
export interface Instrumented {
  readonly code: string
  /** Number of branches. */
  readonly branches: number
}

interface Insertion {
  readonly at: number
  readonly text: string
  /** Closes something, instead of opening it. */
  readonly isEnd?: true
}

/** A node of the tree: everything else in it is another node, a list of them, or a plain value. */
type Tree = Node & Readonly<Record<string, unknown>>

/** Puts a counter into every function, block, case, and each side of what is decided by a condition. */
export function instrument(code: string): Instrumented {
  const insertions: Insertion[] = []
  let branches = 0
  const count = (): string => `__taken[${branches++}]++`
  const before = (node: Tree): void =>
    void insertions.push({ at: node.start, text: `(${count()},` }, { at: node.end, text: ')', isEnd: true })
  const block = (node: Tree, after = ''): void => {
    const isBlock = node.type === 'BlockStatement'
    if (isBlock) insertions.push({ at: node.start + 1, text: `;${count()};` })
    else insertions.push({ at: node.start, text: `{${count()};` })
    insertions.push({ at: node.end, text: `${isBlock ? '' : '}'}${after}`, isEnd: true })
  }
  const visit = (node: Tree): void => {
    const part = (name: string): Tree | undefined => treeIn(node[name])
    const body = part('body')
    if (/Function/.test(node.type)) {
      if (body?.type === 'BlockStatement') insertions.push({ at: directivesEnd(body), text: `;${count()};` })
      else if (body !== undefined) before(body)
    }
    if (/^(For|While|DoWhile|ForIn|ForOf)/.test(node.type) && body !== undefined) block(body)
    if (node.type === 'IfStatement') {
      const [then, otherwise] = [part('consequent'), part('alternate')]
      // Going on because a condition did not hold is a branch as well.
      if (then !== undefined) block(then, otherwise === undefined ? `else{${count()}}` : '')
      if (otherwise !== undefined) block(otherwise)
    }
    const handler = part('handler')
    if (node.type === 'TryStatement' && handler !== undefined) block(treeIn(handler['body']) ?? handler)
    if (node.type === 'ConditionalExpression')
      for (const each of [part('consequent'), part('alternate')]) if (each !== undefined) before(each)
    const right = part('right')
    if (node.type === 'LogicalExpression' && right !== undefined) before(right)
    if (node.type === 'SwitchCase') {
      const [first] = (node['consequent'] ?? []) as readonly Tree[]
      if (first !== undefined) insertions.push({ at: first.start, text: `${count()};` })
    }
    for (const child of childrenOf(node)) visit(child)
  }
  // Everything acorn makes is a tree of nodes.
  visit(parse(code, { ecmaVersion: 'latest', sourceType: 'script' }) as unknown as Tree)
  return { code: spliced(code, insertions), branches }
}

function directivesEnd(body: Tree): number {
  const directives = (body['body'] as readonly Tree[]).filter((each) => typeof each['directive'] === 'string')
  return directives.at(-1)?.end ?? body.start + 1
}

function treeIn(value: unknown): Tree | undefined {
  const isTree = typeof value === 'object' && value !== null && 'type' in value && 'start' in value
  return isTree ? (value as Tree) : undefined
}

function childrenOf(node: Tree): Tree[] {
  return Object.values(node).flatMap((value) =>
    (Array.isArray(value) ? value : [value]).flatMap((each) => treeIn(each) ?? []),
  )
}

/** Where several begin at one place, the outer one is written first; where they end, last. */
function spliced(code: string, insertions: readonly Insertion[]): string {
  const sorted = insertions
    .map((insertion, index) => ({ ...insertion, index }))
    .toSorted((a, b) => {
      if (a.at !== b.at) return a.at - b.at
      if (a.isEnd !== b.isEnd) return a.isEnd ? -1 : 1
      return a.isEnd ? b.index - a.index : a.index - b.index
    })
  const parts: string[] = []
  let from = 0
  for (const { at, text } of sorted) {
    parts.push(code.slice(from, at), text)
    from = at
  }
  return [...parts, code.slice(from)].join('')
}
