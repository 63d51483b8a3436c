/** Who made a commit. */
export interface Person {
  readonly name: string
  readonly email: string
}

/** What goes into a commit. */
export interface NewCommit {
  readonly tree: string
  readonly parent: string
  readonly author: Person
  readonly committer: Person
  /** Epoch milliseconds. */
  readonly at: number
  readonly message: string
}

/**
 * Signs what it is given, the bytes of a commit, and gives the armoured signature: of OpenPGP
 * (`gpg --detach-sign --armor`) or of SSH (`ssh-keygen -Y sign -n git`).
 */
export type CommitSigner = (payload: Uint8Array) => Promise<string> | string

/** The bytes of a commit object, signed when there is a signer. */
export async function commitObject(commit: NewCommit, sign: CommitSigner | undefined): Promise<Buffer> {
  const head = [
    `tree ${commit.tree}`,
    `parent ${commit.parent}`,
    `author ${signature(commit.author, commit.at)}`,
    `committer ${signature(commit.committer, commit.at)}`,
  ]
  const message = commit.message.endsWith('\n') ? commit.message : `${commit.message}\n`
  const payload = Buffer.from(`${head.join('\n')}\n\n${message}`)
  if (sign === undefined) return payload
  const lines = (await sign(payload)).trimEnd().split('\n').join('\n ')
  return Buffer.from(`${head.join('\n')}\ngpgsig ${lines}\n\n${message}`)
}

/** Characters that would end a field are left out, as git does. */
function signature({ name, email }: Person, at: number): string {
  const clean = (text: string): string => text.replace(/[<>\p{Cc}]/gu, '').trim()
  return `${clean(name)} <${clean(email)}> ${Math.floor(at / 1000)} +0000`
}
