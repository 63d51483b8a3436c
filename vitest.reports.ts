import { join } from 'node:path'

interface Reports {
  readonly reporters?: ['default', ['json', { readonly outputFile: string }]]
}

/** With `TEST_REPORTS` set to a folder, the results are also written there, for the table of `test:security`. */
export function reports(): Reports {
  const folder = process.env['TEST_REPORTS']
  if (folder === undefined) return {}
  return { reporters: ['default', ['json', { outputFile: join(folder, `${process.pid}.json`) }]] }
}
