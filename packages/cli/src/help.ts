import { type Command, type Option, commonOptions } from './command.ts'

/** What there is, one line each. */
export function overview(commands: readonly Command[]): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}`)
  return [
    'gitops <command> [application …] [options]',
    '',
    ...lines,
    `  ${'completion'.padEnd(11)} a completion script for bash, zsh or fish`,
    '',
    'Options of every command',
    ...optionLines(commonOptions),
    '',
    'A configuration (gitops.config.ts) exports the options of createReconciler:',
    "  import { defineConfig } from '@gitops-sdk/cli'",
    '  export default defineConfig(({ readOnly }) => ({',
    "    ledger: fileLedger('.gitops', { readOnly }),",
    "    applications: [{ name: 'shop', source: gitSource({ … }), target: kubernetesTarget({ … }) }],",
    '  }))',
    '',
    'Exit codes: 0 well, 1 failed, 2 drift or pending changes, 3 a wait took too long.',
    '',
  ].join('\n')
}

/** What one command does and takes. */
export function helpOf({ name, operands, summary, options }: Command): string {
  return [
    `gitops ${name} ${operands} [options]`,
    '',
    summary,
    '',
    ...optionLines({ ...options, ...commonOptions }),
    '',
  ].join('\n')
}

function optionLines(options: Readonly<Record<string, Option>>): string[] {
  return Object.entries(options).map(([name, { value, summary }]) => {
    const shown = value === undefined ? `--${name}` : `--${name} <${value}>`
    return `  ${shown.padEnd(22)} ${summary}`
  })
}
