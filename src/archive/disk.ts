/** A folder in which what was written is there, whole and for good, once the promise is kept. */
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { OperatorError } from '../errors.ts'

export type Disk = {
  /** Beside its place, made durable, and only then at its place. What stood there is replaced. */
  write(name: string, bytes: Buffer): Promise<void>
  /** null: there is no such file. */
  read(name: string): Promise<Buffer | null>
  list(): Promise<readonly string[]>
}

/** Such files hold what customers agreed to: for the account that archives, and nobody else. */
const PRIVATE_FILE = 0o600
const PRIVATE_FOLDER = 0o700

export function openDisk(folder: string): Disk {
  const at = (name: string): string => join(folder, name)
  return {
    write: async (name, bytes) => {
      const made = await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER })
      if (made !== undefined) await sync(dirname(made))
      const file = await open(`${at(name)}.part`, 'w', PRIVATE_FILE)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${at(name)}.part`, at(name))
      await sync(folder)
    },
    read: (name) =>
      readFile(at(name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null
        throw error
      }),
    list: async () => {
      const names = await readdir(folder).catch(() => {
        throw new OperatorError(`${folder} cannot be read`)
      })
      return names.sort()
    },
  }
}

/** A name is durable when its folder is. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
