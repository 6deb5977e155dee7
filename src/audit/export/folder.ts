/** The folder of an export. A file is there as a whole or not at all, so an interrupted export goes on where it was. */
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { OperatorError } from '../../errors.ts'

export type ExportFolder = {
  /** Of this size, where the size is known beforehand. */
  has(name: string, bytes?: number): Promise<boolean>
  read(name: string): Promise<Buffer>
  write(name: string, content: string | Buffer): Promise<void>
  stream(name: string, parts: AsyncIterable<string | Buffer>): Promise<void>
  rename(from: string, to: string): Promise<void>
}

export const MANIFEST = 'manifest.json'
/** What is being made; it becomes the manifest as the last step. */
export const UNFINISHED = 'manifest.unfinished.json'

export function openFolder(root: string): ExportFolder {
  const made = new Set<string>()
  const place = async (name: string): Promise<string> => {
    const path = join(root, name)
    const folder = dirname(path)
    if (!made.has(folder)) await mkdir(folder, { recursive: true, mode: 0o700 })
    made.add(folder)
    return path
  }
  return {
    has: async (name, bytes) => {
      const found = await stat(join(root, name)).catch(() => null)
      return found !== null && (bytes === undefined || found.size === bytes)
    },
    read: (name) => readFile(join(root, name)),
    write: async (name, content) => {
      const path = await place(name)
      await writeFile(`${path}.part`, content, { mode: 0o600 })
      await rename(`${path}.part`, path)
    },
    stream: async (name, parts) => {
      const path = await place(name)
      await pipeline(Readable.from(parts), createWriteStream(`${path}.part`, { mode: 0o600 }))
      await rename(`${path}.part`, path)
    },
    rename: (from, to) => rename(join(root, from), join(root, to)),
  }
}

/** An earlier export may be evidence already handed over, and another folder is somebody's. */
export async function isBegun(root: string): Promise<boolean> {
  const names = await readdir(root).catch((thrown: NodeJS.ErrnoException): string[] => {
    if (thrown.code === 'ENOENT') return []
    throw new OperatorError(`${root} cannot be used: ${thrown.code}`)
  })
  if (names.includes(MANIFEST)) throw new OperatorError(`${root} already holds an export`)
  if (names.includes(UNFINISHED)) return true
  if (names.length > 0) throw new OperatorError(`${root} is not empty, and holds no unfinished export`)
  return false
}
