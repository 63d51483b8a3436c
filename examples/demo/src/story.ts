import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventOf, type EventType, type Reconciler, createReconciler, describe } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { fileLedger } from '@gitops-sdk/core/node'
import { type GitServer, type ServedRepository, startGitServer } from '@gitops-sdk/core/testing/git'
import { flagTarget } from '@gitops-sdk/example-feature-flag-target'
import { chapter, colour, say, short } from './say.ts'

const application = 'flags'

/** Polls this often, so that the story does not keep its reader waiting. A real platform asks every minute or two. */
const intervalMs = 250

interface Stage {
  readonly repository: ServedRepository
  readonly folder: string
  readonly reconciler: Reconciler
}

/** Shows the main job from the first plan to the history. Returns the exit code. */
export async function tellTheStory(): Promise<number> {
  const home = await mkdtemp(join(tmpdir(), 'gitops-sdk-demo-'))
  const server = await startGitServer()
  try {
    const stage = await setTheStage(server, home)
    await using _reconciler = stage.reconciler
    await firstPlan(stage)
    await commitIsPickedUp(stage)
    await driftIsHealed(stage)
    const broken = await brokenCommitIsRefused(stage)
    await revertBringsItBack(stage, broken)
    await showHistory(stage)
    return 0
  } finally {
    await server.close()
    await rm(home, { recursive: true, force: true })
  }
}

async function setTheStage(server: GitServer, home: string): Promise<Stage> {
  const repository = await server.createRepository('flags')
  const folder = join(home, 'flags')
  const reconciler = createReconciler({
    ledger: fileLedger(join(home, 'ledger')),
    applications: [
      {
        name: application,
        source: gitSource({ url: repository.url, ref: 'main', path: 'flags' }),
        target: flagTarget(folder),
        policy: { mode: 'automatic', prune: true, selfHeal: true, intervalMs, jitter: 0 },
      },
    ],
  })
  await repository.commit(
    {
      'flags/checkout.yaml': 'flag: checkout\nenabled: true\nrollout: 25\n',
      'flags/search.yaml': 'flag: search\nenabled: false\nengine: v1\n',
    },
    { message: 'Declare two flags' },
  )
  chapter('A Git repository and a folder')
  say(`${repository.url} is real Git over HTTP. ${folder} is the managed system: one file per feature flag.`)
  return { repository, folder, reconciler }
}

async function firstPlan({ reconciler, folder }: Stage): Promise<void> {
  chapter('The first plan')
  say(describe(await reconciler.plan(application), { colour }))
  say('Nothing is written yet. Now it is applied:')
  const { runId, outcome } = await reconciler.reconcile(application)
  say(`${outcome} (run ${runId.slice(0, 8)}). ${join(folder, 'checkout.json')}:`)
  say(await readFile(join(folder, 'checkout.json'), 'utf8'))
  reconciler.start()
}

async function commitIsPickedUp({ repository, reconciler }: Stage): Promise<void> {
  chapter('A commit is picked up by polling')
  const ready = next(reconciler, 'ready')
  const planned = next(reconciler, 'planned')
  const id = await repository.commit(
    { 'flags/checkout.yaml': 'flag: checkout\nenabled: true\nrollout: 50\n' },
    { message: 'Roll checkout out to half of all users' },
  )
  say(`Somebody pushed ${short(id)}. The next poll finds it and plans:`)
  say(describe((await planned).plan, { colour }))
  await ready
  say('Applied, healthy, read back.')
}

async function driftIsHealed({ reconciler, folder }: Stage): Promise<void> {
  chapter('Somebody edits a flag by hand')
  const file = join(folder, 'checkout.json')
  const drifted = next(reconciler, 'drifted')
  const healed = next(reconciler, 'driftResolved')
  await writeFile(file, JSON.stringify({ enabled: false, rollout: 50, managedBy: application }, null, 2))
  const event = await drifted
  say(describe(event.drift, { colour }))
  say(`First seen at ${new Date(event.firstSeenAt).toISOString()}.`)
  const { how, lastedMs } = await healed
  say(`It was ${how} after ${lastedMs} ms: "enabled" is ${JSON.parse(await readFile(file, 'utf8')).enabled} again.`)
}

async function brokenCommitIsRefused({ repository, reconciler, folder }: Stage): Promise<string> {
  chapter('A broken commit')
  const before = await readFile(join(folder, 'search.json'), 'utf8')
  const failed = next(reconciler, 'failed')
  const id = await repository.commit(
    { 'flags/search.yaml': 'flag: search\nenabled: true\n  engine: v2\n' },
    { message: 'Switch the search engine' },
  )
  const { error, during } = await failed
  say(`${short(id)} was refused while it was read (${during}):`)
  say(`${error.code}: ${error.message}`)
  const unchanged = (await readFile(join(folder, 'search.json'), 'utf8')) === before
  say(unchanged ? 'Nothing was changed.' : 'Something was changed, which must not happen.')
  return id
}

async function revertBringsItBack({ repository, reconciler }: Stage, broken: string): Promise<void> {
  chapter('git revert')
  const ready = next(reconciler, 'ready')
  const id = await repository.revert(broken, { message: 'Revert "Switch the search engine"' })
  await ready
  const { alignment, health } = reconciler.status(application)
  say(`${short(id)} brings the last good state back: ${alignment}, ${health}.`)
}

async function showHistory({ reconciler }: Stage): Promise<void> {
  chapter('The history, newest first')
  for await (const run of reconciler.history({ application })) {
    const changes = Object.entries(run.counts).map(([action, count]) => `${count} ${action}`)
    const what = run.error?.code ?? (changes.length > 0 ? changes.join(', ') : 'no change')
    const revision = `${short(run.revision?.id ?? '')} ${run.revision?.message ?? ''}`
    say(`${run.outcome.padEnd(8)} ${what.padEnd(20)} ${revision.padEnd(50)} ${run.trigger}`)
  }
}

/** The next event of a type. */
function next<T extends EventType>(reconciler: Reconciler, type: T): Promise<EventOf<T>> {
  return new Promise((resolve) => {
    const stop = reconciler.on(type, (event) => {
      stop()
      resolve(event)
    })
  })
}
