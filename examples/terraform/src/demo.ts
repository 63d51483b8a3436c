// npx -y pnpm@12 demo:terraform
// The real binary on a fake cloud: plan, approval, apply, drift with fields, heal, and a hard kill that is survived.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Plan, type Reconciler, createReconciler, describe, describeEvent, memorySource } from '@gitops-sdk/core'
import { fileLedger } from '@gitops-sdk/core/node'
import { terraformTarget } from '@gitops-sdk/terraform-adapter'
import { fakeCloudProvider, findBinary } from '@gitops-sdk/terraform-adapter/testing'

const binary = findBinary()
if (binary === undefined) {
  console.error('There is no terraform and no tofu here. Run `npx -y pnpm@12 terraform:install`, or set TERRAFORM_BIN.')
  process.exit(1)
}

const folder = await mkdtemp(join(tmpdir(), 'demo-terraform-'))
const provider = await fakeCloudProvider()
const { cloud } = provider
const source = memorySource({ files: { 'main.tf': moduleOf('v1', ['web', 'worker']) } })

const title = (text: string): void => console.log(`\n\u001b[1m${text}\u001b[0m`)
const show = (plan: Plan | undefined): void => console.log(plan === undefined ? 'no plan' : describe(plan))

/** A module of records that name each other. */
function moduleOf(version: string, names: readonly string[]): string {
  const records = names.map((name, index) => {
    const after = index === 0 ? '' : `  depends_on = [fake_record.${names[index - 1]}]\n`
    return `resource "fake_record" "${name}" {\n  name  = "${name}"\n  value = "${version}"\n  secret = "opensesame"\n${after}}\n`
  })
  return `${provider.requirement}${records.join('')}output "version" {\n  value = "${version}"\n}\n`
}

function start(): Reconciler {
  const reconciler = createReconciler({
    ledger: fileLedger(join(folder, 'ledger')),
    applications: [
      {
        name: 'shop',
        source,
        target: terraformTarget({
          binary: binary!,
          folder: join(folder, 'terraform'),
          environment: provider.environment,
        }),
        policy: { mode: 'approve', prune: true, intervalMs: 0, retry: { limit: 0 } },
      },
    ],
  })
  const told = new Set(['applied', 'changed', 'drifted', 'driftResolved', 'attentionNeeded', 'attentionResolved'])
  reconciler.onAny((event) => {
    if (told.has(event.type)) console.log(`  · ${describeEvent(event)}`)
    if (event.type === 'progressed') console.log(`    ${event.progress.activity}`)
  })
  return reconciler
}

/** Approves what is planned now, and waits until it is in force. */
async function approveAndApply(reconciler: Reconciler, by: string): Promise<void> {
  const { plan } = await reconciler.reconcile('shop', { refresh: true })
  show(plan)
  console.log(`  · ${by} approves ${plan!.fingerprint.slice(0, 12)}`)
  await reconciler.approve('shop', { fingerprint: plan!.fingerprint, by })
  // The approval starts a run of its own; this one begins when that has ended.
  await reconciler.reconcile('shop')
}

/** The process of the apply that is under way, from its journal. */
async function applyingPid(): Promise<number> {
  for (;;) {
    const names = await readdir(folder, { recursive: true })
    const path = names.find((name) => name.endsWith('run.json'))
    const text = path === undefined ? '' : await readFile(join(folder, path), 'utf8').catch(() => '')
    const { process } = (text === '' ? {} : JSON.parse(text)) as { process?: { pid: number } }
    if (process !== undefined && cloud.count('queue') > 0) return process.pid
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

let reconciler = start()
try {
  title(`1. A plan by ${binary}, and the approval of exactly this plan`)
  await approveAndApply(reconciler, 'ada')
  console.log(
    `  the cloud holds ${[...cloud.records.values()].map(({ name, value }) => `${name}=${value}`).join(', ')}`,
  )

  title('2. Nothing new: no process is started')
  const startedMs = performance.now()
  const { outcome } = await reconciler.reconcile('shop')
  console.log(`  ${outcome} in ${(performance.now() - startedMs).toFixed(1)} ms`)

  title('3. Somebody edits the cloud by hand: drift with its field, and the heal')
  cloud.find('web')!.value = 'edited by hand'
  await approveAndApply(reconciler, 'ada')
  console.log(`  web is ${cloud.find('web')!.value} again`)

  title('4. A new record; the apply is killed while it is created')
  source.commit({ 'main.tf': moduleOf('v1', ['web', 'worker', 'queue']) })
  cloud.faults.set('queue', { delayMs: 5_000 })
  const { plan } = await reconciler.reconcile('shop')
  show(plan)
  await reconciler.approve('shop', { fingerprint: plan!.fingerprint, by: 'ada' })
  process.kill(await applyingPid(), 'SIGKILL')
  cloud.faults.clear()

  title('5. The next process finds out, and makes nothing twice')
  await reconciler[Symbol.asyncDispose]()
  reconciler = start()
  const { error } = await reconciler.reconcile('shop')
  console.log(`  ${error?.code}: ${error?.message}`)
  console.log(`  ${reconciler.explain('shop').sentence}`)

  title('6. Ada finds the record in the cloud and has it imported')
  const ref = { kind: 'fake_record', name: 'queue' }
  const { id } = cloud.find('queue')!
  await reconciler.resolveSuspects('shop', {
    by: 'ada',
    note: 'it is there',
    resolutions: [{ ref, how: 'imported', id }],
  })
  const after = await reconciler.reconcile('shop', { refresh: true })
  console.log(`  ${after.outcome}: everything is as it is declared`)
  const counts = ['web', 'worker', 'queue'].map((name) => `${name} ${cloud.count(name)}×`)
  console.log(`  the cloud holds ${counts.join(', ')}`)
  if (after.error !== undefined) throw after.error
  if (cloud.records.size !== 3) throw new Error('Something was made twice.')
} finally {
  await reconciler[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
}
