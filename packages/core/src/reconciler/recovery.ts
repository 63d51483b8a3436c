import { label } from '../desired/ref.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { commit, recordOf, tell } from './engine.ts'
import { type Session, ask, timed } from './session.ts'

/**
 * What a process that died left behind is looked at before anything else is done. Throws `APPLY_UNKNOWN`,
 * naming the suspects, while it is not known what became of them.
 */
export async function recover(session: Session): Promise<void> {
  const { engine, member } = session
  const { journal } = await recordOf(engine, member)
  if (journal === undefined) return
  session.activity = 'recover'
  const target = member.target
  const recovery =
    target.recover === undefined
      ? { status: 'clean' as const, suspects: [], actions: ['planned again from what is there'] }
      : await timed(session, 'recover', () => ask(session, 'recover', async (call) => target.recover!(journal, call)))
  if (recovery.status === 'attention') {
    tell(engine, { type: 'attentionNeeded', application: member.name, suspects: recovery.suspects })
    const names = recovery.suspects.map(({ ref, reason }) => `${label(ref)} (${reason})`).join(', ')
    const message = `The last run of ${member.name} was interrupted, and it is not known what became of ${names}. Resolve them before anything is applied.`
    throw new GitOpsError('APPLY_UNKNOWN', message, { details: { suspects: names } })
  }
  await commit(engine, member, {
    journal: null,
    audit: [
      {
        at: engine.call.clock.now(),
        actor: 'gitops-sdk',
        action: 'recovered',
        application: member.name,
        details: { run: journal.runId, actions: [...recovery.actions] },
      },
    ],
  })
}
