import { GitOpsError } from '@gitops-sdk/core'
import { type Command, commonOptions } from './command.ts'

/** A completion script for `shell`, to be sourced. Throws `CONFIG_INVALID` for another shell. */
export function completionFor(shell: string | undefined, commands: readonly Command[]): string {
  if (shell === 'bash') return bash(commands)
  if (shell === 'zsh')
    return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`
  if (shell === 'fish') return fish(commands)
  const given = shell === undefined ? 'Name the shell' : `There is no completion for ${JSON.stringify(shell)}`
  throw new GitOpsError('CONFIG_INVALID', `${given}: bash, zsh or fish.`)
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => `    ${command.name}) words="${optionNames(command).join(' ')}" ;;`)
  return `_gitops() {
  local words="${commandNames(commands).join(' ')}"
  if [ "$COMP_CWORD" -gt 1 ]; then words=""; case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    completion) words="bash zsh fish" ;;
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _gitops gitops
`
}

function fish(commands: readonly Command[]): string {
  const names = commands.map(
    ({ name, summary }) => `complete -c gitops -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
  )
  const options = commands.flatMap(({ name, options: own }) =>
    Object.entries({ ...own, ...commonOptions }).map(
      ([option, { summary }]) =>
        `complete -c gitops -n '__fish_seen_subcommand_from ${name}' -l ${option} -d ${quoted(summary)}`,
    ),
  )
  return ['complete -c gitops -f', ...names, ...options, ''].join('\n')
}

function commandNames(commands: readonly Command[]): string[] {
  return [...commands.map(({ name }) => name), 'completion']
}

function optionNames({ options }: Command): string[] {
  return Object.keys({ ...options, ...commonOptions }).map((name) => `--${name}`)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`
}
