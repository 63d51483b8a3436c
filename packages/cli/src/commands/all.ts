import type { Command } from '../command.ts'
import { apply } from './apply.ts'
import { approve } from './approve.ts'
import { diff } from './diff.ts'
import { explain } from './explain.ts'
import { exportCommand } from './export.ts'
import { history } from './history.ts'
import { plan } from './plan.ts'
import { rollback } from './rollback.ts'
import { status } from './status.ts'
import { watch } from './watch.ts'

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  plan,
  diff,
  apply,
  watch,
  status,
  explain,
  history,
  exportCommand,
  rollback,
  approve,
]
