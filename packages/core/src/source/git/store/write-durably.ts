import { randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Call, sleep } from '../../../runtime/call.ts'
import { type FolderFiles, codeOf } from './folder-files.ts'

/** Writes a file so that a reader, also after a crash, sees the old content or the new one, never a part. */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  files: FolderFiles,
  call: Call,
): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomUUID()}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await renamePatiently(temporary, path, files, call)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

const MAX_ATTEMPTS = 8
const FIRST_DELAY_MS = 5

/** Windows refuses to replace a file that anybody is reading, or a scanner of viruses looks at: that passes soon. */
async function renamePatiently(from: string, to: string, files: FolderFiles, call: Call): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await files.rename(from, to)
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error) ?? '')) throw error
      await sleep(FIRST_DELAY_MS * 2 ** attempt, call)
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
