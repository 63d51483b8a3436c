import { expect, test } from 'vitest'
import { GitOpsError } from '../../runtime/errors.ts'
import { gitRepository } from './repository.ts'
import { gitSource } from './source.ts'

/** What a caller without types may pass. */
function attempt(make: (options: never) => unknown, options: unknown): GitOpsError {
  try {
    // The test is about values that the types refuse.
    make(options as never)
  } catch (error) {
    if (error instanceof GitOpsError) return error
    throw error
  }
  throw new Error('It was accepted.')
}

const url = 'https://git.example.com/shop.git'

test.each<[string, unknown, string, string]>([
  ['nothing', undefined, '', 'be an object'],
  ['text instead of an object', url, '', 'be an object'],
  ['no address', { ref: 'main' }, 'url', 'be given'],
  ['an address that is no text', { url: new URL(url) }, 'url', 'be text'],
  ['a number for a ref', { url, ref: 1 }, 'ref', 'be a name, or an object'],
  ['a ref of two kinds', { url, ref: { branch: 'main', tag: 'v1' } }, 'ref', 'be a name, or an object'],
  ['an option that is misspelled', { url, reff: 'main' }, 'reff', 'not be given; there are ref, path'],
  ['a path that is no text', { url, path: ['deploy'] }, 'path', 'be text'],
  ['an unknown policy', { url, onRewritten: 'ignore' }, 'onRewritten', 'be hold or follow'],
  ['an unknown treatment of links', { url, symlinks: true }, 'symlinks', 'be refuse or skip or follow'],
  ['credentials that are a token', { url, credentials: 'hunter2' }, 'credentials', 'be a function'],
  ['a folder as the storage itself', { url, storage: '/var/git' }, 'storage', 'be memory, or an object with `folder`'],
  ['a number as text', { url, keepRevisions: '5' }, 'keepRevisions', 'be a whole number from 1'],
  ['a negative time', { url, shareMs: -1 }, 'shareMs', 'be milliseconds from 0'],
  ['a time as text', { url, timeouts: { totalMs: '5s' } }, 'timeouts.totalMs', 'be milliseconds from 0'],
  [
    'a time that is there and undefined',
    { url, timeouts: { totalMs: undefined } },
    'timeouts.totalMs',
    'be milliseconds from 0',
  ],
  ['an unknown limit', { url, limits: { maxBytes: 5 } }, 'limits.maxBytes', 'not be given; there are maxPackBytes'],
  ['no tries at all', { url, retry: { maxAttempts: 0 } }, 'retry.maxAttempts', 'be a whole number from 1'],
  ['a proxy as text', { url, network: { proxy: 'http://proxy:3128' } }, 'network.proxy', 'be an object'],
  ['a certificate that is a stream', { url, network: { ca: {} } }, 'network.ca', 'be text or bytes'],
  ['ssh without known hosts', { url: 'git@example.com:shop', ssh: {} }, 'ssh.knownHostsFile', 'be given'],
  ['an unknown protocol', { url, protocol: 3 }, 'protocol', 'be 0 or 1 or 2'],
  ['a writer that is nobody', { url, ref: 'main', write: {} }, 'write.committer', 'be given'],
  ['a verifier that is no function', { url, verify: {} }, 'verify', 'be a function'],
  ['a repository that is an address', { repository: url }, 'repository', 'be what gitRepository gives'],
  ['options of a repository beside a shared one', { repository: gitRepository({ url }), url }, 'url', 'not be given'],
])(
  'a caller without types that passes %s is told which option is wrong, and what it must be',
  (_, options, option, must) => {
    const error = attempt(gitSource, options)
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      details: { problems: expect.arrayContaining([{ option, must: expect.stringContaining(must) }]) },
    })
    expect(error.message).toContain(option === '' ? 'The options must' : `\`${option}\` must`)
    expect(error.message).not.toContain('hunter2')
  },
)

test('every option that is wrong is told at once', () => {
  const { details } = attempt(gitRepository, { partial: 'yes', limits: { maxRefs: 0 } })
  const options = ['url', 'partial', 'limits.maxRefs']
  expect(details).toMatchObject({ problems: options.map((option) => expect.objectContaining({ option })) })
})

test('a repository does not take what is for a source', () => {
  const { message } = attempt(gitRepository, { url, path: 'deploy' })
  expect(message).toContain('`path` must not be given')
})
