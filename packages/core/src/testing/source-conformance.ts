import { createCall, type RunCall } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { Revision, Snapshot, Source, SourceEdit, TreeEntry } from '../source/source.ts'
import { testCall } from './call.ts'
import { check, checkRejects, checkSame } from './check.ts'

/** What `testSourceConformance` needs. */
export interface SourceConformance<Port extends Source = Source> {
  /** Registers one test; the `test` of any runner fits. */
  readonly test: (name: string, run: () => Promise<void>) => unknown
  /** Makes a source whose newest revision holds exactly these files. Called once per test; disposed at its end. */
  readonly createSource: (files: Files) => Port | Promise<Port>
  /** Makes a new revision past the source: new text by path, `null` deletes. Absent for a store that never changes. */
  readonly change?: (source: Port, files: Readonly<Record<string, string | null>>) => void | Promise<void>
  /** Whether revisions that were replaced by newer ones can still be read. @defaultValue true */
  readonly keepsHistory?: boolean
  /** Makes every read fail from now on, as when the server goes away. Absent where that cannot happen. */
  readonly breakReads?: (source: Port) => void | Promise<void>
}

/** Text by path. */
export type Files = Readonly<Record<string, string>>

/** Registers the tests that every source has to pass: a source that passes is supported. */
export function testSourceConformance<Port extends Source>(suite: SourceConformance<Port>): void {
  register(suite, reading)
  const { change, breakReads } = suite
  if (change !== undefined) register(suite, changing(change, suite.keepsHistory ?? true))
  if (breakReads !== undefined) register(suite, breaking(breakReads))
}

type Statement<Port extends Source> = (source: Port, call: RunCall & { readonly abort: () => void }) => Promise<void>
type Statements<Port extends Source> = Readonly<Record<string, Statement<Port>>>

const files: Files = {
  'README.md': '# Text\n',
  'apps/shop/a.yaml': 'name: a\n',
  'apps/shop/b.yaml': 'name: ä and 🙂\n',
  'apps/shop/nested/deep/c.json': '{"c":1}',
  'apps/web/a.yaml': 'name: a\n',
  'apps-of-all.yaml': 'x: 1\n',
  Z: 'capital letters sort before small ones\n',
}

function register<Port extends Source>(suite: SourceConformance<Port>, statements: Statements<Port>): void {
  for (const [name, run] of Object.entries(statements)) {
    suite.test(name, async () => {
      const source = await suite.createSource(files)
      const abortable = new AbortController()
      // A source may do real work, so the call has the time of the machine.
      const call = { ...testCall(), ...createCall({ signal: abortable.signal }), abort: () => abortable.abort() }
      try {
        await run(source, call)
      } finally {
        abortable.abort()
        await source[Symbol.asyncDispose]?.()
        await source[Symbol.asyncDispose]?.()
      }
    })
  }
}

const reading: Statements<Source> = {
  'the same store resolves to the same revision': async (source, call) => {
    const first = await source.resolve(call)
    check(first.id !== '', 'a revision has an id')
    checkSame((await source.resolve(call)).id, first.id, 'nothing changed, so the revision is the same')
  },

  'the id is stable and carries no credentials': async (source, call) => {
    const { id } = source
    await source.resolve(call)
    checkSame(source.id, id, 'the id does not change')
    check(!/\/\/[^/]*@/.test(id), 'there is no user information in the id')
  },

  'a snapshot lists every folder, sorted by name in code-unit order': async (source, call) => {
    const snapshot = await newest(source, call)
    checkSame(await names(snapshot, '', call), ['README.md', 'Z', 'apps', 'apps-of-all.yaml'], 'the root')
    checkSame(await names(snapshot, 'apps', call), ['apps/shop', 'apps/web'], 'a folder')
    checkSame(
      await names(snapshot, 'apps/shop', call),
      ['apps/shop/a.yaml', 'apps/shop/b.yaml', 'apps/shop/nested'],
      'below',
    )
    const types = (await entries(snapshot, 'apps/shop', call)).map(({ type }) => type)
    checkSame(types, ['file', 'file', 'folder'], 'what each entry is')
  },

  'files are read byte by byte as they are': async (source, call) => {
    const snapshot = await newest(source, call)
    for (const [path, text] of Object.entries(files)) {
      checkSame(await snapshot.read(path, call), new TextEncoder().encode(text), path)
    }
  },

  'digests are equal exactly where content is': async (source, call) => {
    const snapshot = await newest(source, call)
    const digest = (path: string): Promise<string> => snapshot.digest(path, call)
    checkSame(await digest('apps/shop/a.yaml'), await digest('apps/web/a.yaml'), 'two files with the same content')
    check((await digest('apps/shop/a.yaml')) !== (await digest('apps/shop/b.yaml')), 'two files with other content')
    check((await digest('apps/shop')) !== (await digest('apps/web')), 'two folders with other content')
    for (const { path, digest: listed } of await entries(snapshot, 'apps', call)) {
      checkSame(listed, await digest(path), `the digest of ${path} in the listing`)
    }
  },

  'a size in a listing is the number of bytes': async (source, call) => {
    const snapshot = await newest(source, call)
    for (const { path, type, sizeBytes } of await entries(snapshot, 'apps/shop', call)) {
      if (type !== 'file' || sizeBytes === undefined) continue
      checkSame(sizeBytes, (await snapshot.read(path, call)).length, path)
    }
  },

  'what is not there is an error, never empty': async (source, call) => {
    const snapshot = await newest(source, call)
    for (const path of ['nope', 'apps/nope', 'README.md/nope', 'apps/shop/a.yaml/x']) {
      await checkRejects(snapshot.digest(path, call), 'PATH_NOT_FOUND', `digest of ${path}`)
      await checkRejects(snapshot.read(path, call), 'PATH_NOT_FOUND', `read of ${path}`)
      await checkRejects(names(snapshot, path, call), 'PATH_NOT_FOUND', `list of ${path}`)
    }
    await checkRejects(snapshot.read('apps', call), 'PATH_NOT_FOUND', 'a folder is not a file')
    await checkRejects(names(snapshot, 'README.md', call), 'PATH_NOT_FOUND', 'a file is not a folder')
  },

  'a path cannot leave the tree': async (source, call) => {
    const snapshot = await newest(source, call)
    for (const path of ['..', '../x', 'apps/../README.md', '/etc/passwd', './README.md', 'apps//shop', 'a\u0000b']) {
      const error = await snapshot.read(path, call).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      const codes = ['PATH_NOT_FOUND', 'SOURCE_PATH_UNSAFE']
      check(error instanceof GitOpsError && codes.includes(error.code), `${JSON.stringify(path)} is refused`)
    }
  },

  'the same revision gives the same snapshot again': async (source, call) => {
    const revision = await source.resolve(call)
    const [first, second] = [await source.snapshot(revision, call), await source.snapshot(revision, call)]
    checkSame(await second.digest('', call), await first.digest('', call), 'the root digest')
    checkSame(await second.read('Z', call), await first.read('Z', call), 'a file')
    checkSame(first.revision.id, revision.id, 'the revision of the snapshot')
  },

  'a plain copy of a revision is as good as the original': async (source, call) => {
    const revision: Revision = JSON.parse(JSON.stringify(await source.resolve(call)))
    const snapshot = await source.snapshot(revision, call)
    check((await snapshot.read('Z', call)).length > 0, 'a recorded revision can be read')
  },

  'an unknown revision is an error': async (source, call) => {
    const read = async (): Promise<unknown> => (await source.snapshot({ id: '0'.repeat(40) }, call)).digest('', call)
    await checkRejects(read(), 'REVISION_NOT_FOUND', 'a revision that never was')
  },

  'an aborted call is rejected by every verb': async (source, call) => {
    const revision = await source.resolve(call)
    const snapshot = await source.snapshot(revision, call)
    call.abort()
    await checkRejects(source.resolve(call), 'CANCELLED', 'resolve')
    await checkRejects(source.snapshot(revision, call), 'CANCELLED', 'snapshot')
    await checkRejects(snapshot.read('Z', call), 'CANCELLED', 'read')
    await checkRejects(names(snapshot, '', call), 'CANCELLED', 'list')
  },

  'a watch ends when the call is aborted': async (source, call) => {
    if (source.watch === undefined) return
    const ended = drain(source.watch(call))
    call.abort()
    await ended
  },

  'an edit is committed on the newest revision, and everything else stays': async (source, call) => {
    const { writer } = source
    if (writer === undefined) return
    const before = await newest(source, call)
    const edit = {
      message: 'Change two files',
      files: new Map([
        ['apps/shop/a.yaml', bytes('name: z\n')],
        ['Z', null],
        ['new/file', bytes('n')],
      ]),
    }
    const revision = await writer.commit(() => edit, call)
    checkSame((await source.resolve(call)).id, revision.id, 'the new revision is the newest')
    const after = await source.snapshot(revision, call)
    checkSame(await after.read('apps/shop/a.yaml', call), bytes('name: z\n'), 'a changed file')
    checkSame(await after.read('new/file', call), bytes('n'), 'a new file')
    await checkRejects(after.read('Z', call), 'PATH_NOT_FOUND', 'a deleted file')
    checkSame(await after.digest('apps/web', call), await before.digest('apps/web', call), 'an untouched folder')
    checkSame(
      await before.read('apps/shop/a.yaml', call),
      bytes('name: a\n'),
      'the snapshot from before does not change',
    )
  },

  'an edit that lost a race is made again on the newer tree': async (source, call) => {
    const { writer } = source
    if (writer === undefined) return
    const seen: string[] = []
    const edit = async (head: Snapshot): Promise<SourceEdit> => {
      seen.push(head.revision.id)
      if (seen.length === 1)
        await writer.commit(() => ({ message: 'First', files: new Map([['first', bytes('1')]]) }), call)
      return { message: 'Second', files: new Map([['second', bytes('2')]]) }
    }
    const after = await source.snapshot(await writer.commit(edit, call), call)
    checkSame(seen.length, 2, 'the edit was asked twice')
    checkSame(await after.read('first', call), bytes('1'), 'the commit that won is kept')
    checkSame(await after.read('second', call), bytes('2'), 'the edit is there')
  },
}

function changing<Port extends Source>(
  change: NonNullable<SourceConformance<Port>['change']>,
  keepsHistory: boolean,
): Statements<Port> {
  const statements: Statements<Port> = {
    'a change makes a new revision and new digests only where something changed': async (source, call) => {
      const before = await newest(source, call)
      const digests = async (snapshot: Snapshot): Promise<string[]> =>
        Promise.all(['', 'apps', 'apps/shop', 'apps/web'].map((path) => snapshot.digest(path, call)))
      const old = await digests(before)
      await change(source, { 'apps/shop/a.yaml': 'name: changed\n' })
      const after = await newest(source, call)
      check(after.revision.id !== before.revision.id, 'the revision is another one')
      const now = await digests(after)
      checkSame(
        old.map((digest, index) => digest !== now[index]),
        [true, true, true, false],
        'only the folders above the change',
      )
    },

    'a deleted file is gone, and a folder without files with it': async (source, call) => {
      await change(source, { 'apps/web/a.yaml': null })
      const snapshot = await newest(source, call)
      checkSame(await names(snapshot, 'apps', call), ['apps/shop'], 'the folder')
      await checkRejects(snapshot.read('apps/web/a.yaml', call), 'PATH_NOT_FOUND', 'the file')
    },

    'a change that is undone brings the content digest back': async (source, call) => {
      const before = await (await newest(source, call)).digest('', call)
      await change(source, { Z: 'other\n' })
      await change(source, { Z: files['Z']! })
      checkSame(await (await newest(source, call)).digest('', call), before, 'the root digest')
    },

    'a watch yields after a change': async (source, call) => {
      if (source.watch === undefined) return
      const hints = source.watch(call)[Symbol.asyncIterator]()
      const first = hints.next()
      await change(source, { Z: 'other\n' })
      check((await first).done !== true, 'there is a hint')
      call.abort()
      await hints.return?.()
    },
  }
  if (!keepsHistory) return statements
  return {
    ...statements,
    'an older revision can still be read': async (source, call) => {
      const before = await source.resolve(call)
      await change(source, { Z: 'other\n', 'apps/web/a.yaml': null })
      await source.resolve(call)
      const snapshot = await source.snapshot(before, call)
      checkSame(await snapshot.read('Z', call), bytes(files['Z']!), 'a file as it was')
      checkSame(await names(snapshot, 'apps', call), ['apps/shop', 'apps/web'], 'a folder as it was')
    },
  }
}

function breaking<Port extends Source>(
  breakReads: NonNullable<SourceConformance<Port>['breakReads']>,
): Statements<Port> {
  return {
    'a store that fails is an error with a code of its own, never an empty store': async (source, call) => {
      await breakReads(source)
      const read = async (): Promise<unknown> => entries(await newest(source, call), '', call)
      const error = await read().then(
        () => undefined,
        (reason: unknown) => reason,
      )
      check(error instanceof GitOpsError, 'the failure is a GitOpsError')
      check(/^(SOURCE|REVISION|PATH)_/.test(error.code), `the code says what failed (${error.code})`)
    },
  }
}

async function newest(source: Source, call: RunCall): Promise<Snapshot> {
  return source.snapshot(await source.resolve(call), call)
}

async function entries(snapshot: Snapshot, path: string, call: RunCall): Promise<TreeEntry[]> {
  const found: TreeEntry[] = []
  for await (const entry of snapshot.list(path, call)) found.push(entry)
  return found
}

async function names(snapshot: Snapshot, path: string, call: RunCall): Promise<string[]> {
  return (await entries(snapshot, path, call)).map((entry) => entry.path)
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) continue
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
