import { type ExportLine, GitOpsError, createCall, exportLedger } from '@gitops-sdk/core'
import type { Command } from '../command.ts'

/** Everything the ledger holds, for other programs. */
export const exportCommand: Command = {
  name: 'export',
  summary: 'everything the ledger holds, as JSON lines: applications, resources, runs, audit',
  operands: '[application …]',
  options: {},
  readOnly: true,
  run: async ({ config, applications, io }) => {
    const { ledger } = config
    if (ledger === undefined)
      throw new GitOpsError('CONFIG_INVALID', 'ledger: there is none, so there is nothing to export. Give one.')
    // Without names also what is no longer configured: it was, and the ledger remembers.
    const everything = applications.length === config.applications?.length
    const chosen = new Set<string | undefined>(applications)
    for await (const line of exportLedger(ledger, createCall({ signal: io.signal }))) {
      if (everything || chosen.has((JSON.parse(line) as ExportLine).application)) io.out(line)
    }
    return 0
  },
}
