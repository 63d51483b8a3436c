import { defineConfig } from 'vitest/config'
import { reports } from './vitest.reports.ts'

const conditions = ['@gitops-sdk/source', 'node']

/** The suites with real components: a database, an API server, a Terraform binary. Name a folder to run one of them. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/**/*.real.test.ts', 'examples/**/*.real.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    ...reports(),
  },
})
