// One small life on whatever runtime runs this: a real repository over HTTP, a ledger on disk, a restart in between.
// Arguments: the address of the repository, whose branch `first` has two things and `main` one; and a folder.
import assert from 'node:assert/strict'
import process from 'node:process'
import { createReconciler } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { fileLedger } from '@gitops-sdk/core/node'
import { memoryTarget } from '@gitops-sdk/core/testing'

const [url, folder] = process.argv.slice(2)
const target = memoryTarget()

async function reconcile(ref) {
  const reconciler = createReconciler({
    ledger: fileLedger(folder),
    applications: [{ name: 'shop', source: gitSource({ url, ref }), target, policy: { prune: true } }],
  })
  try {
    const result = await reconciler.reconcile('shop')
    assert.equal(result.outcome, 'applied', result.error?.message)
    assert.equal(reconciler.status('shop').health, 'healthy')
    return [...target.live.values()].map(({ ref: { name }, body }) => `${name}=${JSON.stringify(body.size)}`).sort()
  } finally {
    // `await using` where the language has it.
    await reconciler[Symbol.asyncDispose]()
  }
}

assert.deepEqual(await reconcile('first'), ['a=1', 'b=1'])
assert.deepEqual(await reconcile('main'), ['a=2'])
console.log('reconciled')
