// Prepares Dulwich, a Git server that shares no code with git, for the suite of real components. Prints the Python
// that has it. A second run finds it in the cache.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cache } from './cache.mjs'

const folder = join(cache, 'dulwich-1.2.21')
const python = join(folder, 'bin', 'python')
if (!existsSync(join(folder, 'bin', 'dulwich'))) {
  execFileSync('python3', ['-m', 'venv', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'dulwich==1.2.21'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
console.log(python)
