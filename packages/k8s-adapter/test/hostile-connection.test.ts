import { describe, expect, test } from 'vitest'
import { type KubeConfigOptions, kubeConfigOptions, kubernetesCluster } from '../src/index.ts'

const kubeconfig = (user: object, cluster: object = {}): string =>
  JSON.stringify({
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: { server: 'https://kube.example', ...cluster } }],
    users: [{ name: 'x', user }],
  })

describe('K04: a kubeconfig that runs, reads or trusts something is refused', () => {
  const refused: readonly (readonly [string, string, KubeConfigOptions, RegExp])[] = [
    ['a program', kubeconfig({ exec: { command: 'sh', args: ['-c', 'id'] } }), {}, /the user has exec/],
    ['a provider', kubeconfig({ 'auth-provider': { name: 'gcp' } }), {}, /the user has auth-provider/],
    ['a password', kubeconfig({ username: 'a', password: 'hunter2' }), {}, /the user has username/],
    ['a token of this machine', kubeconfig({ tokenFile: '/var/run/secrets/token' }), {}, /it names files/],
    ['a key of this machine', kubeconfig({ 'client-key': '/etc/ssl/key' }), {}, /it names files/],
    ['an authority of this machine', kubeconfig({}, { 'certificate-authority': '/etc/passwd' }), {}, /it names files/],
    ['no verification', kubeconfig({}, { 'insecure-skip-tls-verify': true }), {}, /insecure-skip-tls-verify/],
    ['no server', kubeconfig({}, { server: '' }), {}, /no server/],
    ['another context', kubeconfig({}), { context: 'constructor' }, /no context called constructor/],
    ['nothing', '', {}, /it is empty/],
  ]
  test.each(refused)('K04: %s', async (_, text, options, message) => {
    const reading = kubeConfigOptions(text, options)
    await expect(reading).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) })
    await expect(reading).rejects.not.toThrow(/hunter2/)
  })

  test('K04: what is allowed by name is taken', async () => {
    const text = kubeconfig({ token: 't' }, { 'insecure-skip-tls-verify': true })
    expect(await kubeConfigOptions(text, { allowInsecure: true })).toMatchObject({ insecureSkipVerify: true })
  })
})

describe('K03: an identity that is none never becomes that of the operator', () => {
  const identities: readonly object[] = [
    { user: '' },
    { user: ' ' },
    { user: '\t\n' },
    { user: 'null' },
    { user: null },
    { user: undefined },
    { user: 7 },
    {},
    { user: 'tenant', groups: ['system:masters'] },
  ]
  test.each(identities.map((identity) => [JSON.stringify(identity), identity] as const))(
    'K03: impersonating %s',
    (_, identity) => {
      const options = { connection: { server: 'https://kube.example' }, impersonate: identity }
      // What a plain JavaScript caller, or a template that came out empty, would pass.
      expect(() => kubernetesCluster(options as never)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    },
  )
})
