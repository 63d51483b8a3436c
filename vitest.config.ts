import { defineConfig, type Plugin } from 'vitest/config'
import { reports } from './vitest.reports.ts'

const conditions = ['@gitops-sdk/source', 'node']

export default defineConfig({
  plugins: process.env['MUTANT'] === undefined ? [] : [mutate(process.env['MUTANT'])],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'packages/*/templates/**/*.test.ts',
      'examples/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**', '**/*.real.test.ts'],
    // For what hangs. A machine with much else to do may need ten times as long as one with nothing.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    ...reports(),
  },
})

/** Breaks one line of the engine on purpose; see scripts/mutants.ts. */
function mutate(mutant: string): Plugin {
  const { file, find, replace } = JSON.parse(mutant) as Readonly<Record<'file' | 'find' | 'replace', string>>
  return {
    name: 'mutant',
    enforce: 'pre',
    transform: (code, id) => (id.endsWith(file) ? code.replace(find, replace) : undefined),
  }
}
