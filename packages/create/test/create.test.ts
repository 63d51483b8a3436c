import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { answersFrom } from '../src/answers.ts'
import { writeStarter } from '../src/write-starter.ts'

const home = await mkdtemp(join(tmpdir(), 'gitops-create-'))
afterAll(() => rm(home, { recursive: true }))

test('flags answer everything; what they leave out is asked', async () => {
  expect(await answersFrom(['shop', '--kind', 'adapter'], undefined)).toEqual({ kind: 'adapter', folder: 'shop' })
  const asked: string[] = []
  const answers = ['embedder', ' platform ']
  const ask = async (question: string): Promise<string> => {
    asked.push(question)
    return answers[asked.length - 1] ?? ''
  }
  expect(await answersFrom([], ask)).toEqual({ kind: 'embedder', folder: 'platform' })
  expect(asked).toHaveLength(2)
})

test.each([[['shop']], [['shop', '--kind', 'plugin']], [['--kind', 'adapter']], [['shop', '--sort', 'x']]])(
  '%j is not enough where nobody can be asked',
  (args) => expect(answersFrom(args, undefined)).rejects.toThrow(/--kind|folder|--sort/),
)

test('a starter is a package with the name of its folder', async () => {
  const folder = await writeStarter({ kind: 'embedder', folder: 'My Platform!' }, home)
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  expect(manifest).toMatchObject({
    name: 'my-platform',
    dependencies: { '@gitops-sdk/core': expect.stringMatching(/^\^\d/) },
  })
  expect(await readdir(folder)).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'src', 'tsconfig.json']))
  expect(await readFile(join(folder, 'README.md'), 'utf8')).not.toContain('{{')
})

test('nothing is written over what is there', async () => {
  await writeFile(join(home, 'mine.txt'), 'mine')
  await expect(writeStarter({ kind: 'adapter', folder: '.' }, home)).rejects.toThrow('is not empty')
})
