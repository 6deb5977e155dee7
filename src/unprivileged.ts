/**
 * PostgreSQL refuses to run as root. When we are root, the server runs as an ordinary account that the machine
 * already has; none is created. Such an account may be unable to enter the place where the project lies (a root-only
 * home directory, say); a root-owned stand-in under /var/tmp then takes that place.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export type Account = { readonly name: string; readonly uid: number; readonly gid: number }

const CANDIDATES = ['postgres', 'nobody'] as const

/** The account to drop to; null when we are an ordinary user already. */
export function unprivilegedAccount(): Account | null {
  if (process.getuid?.() !== 0) return null
  for (const name of CANDIDATES) {
    const uid = idOf('-u', name)
    const gid = idOf('-g', name)
    if (uid !== null && gid !== null) return { name, uid, gid }
  }
  throw new Error(
    `running as root, and this machine has none of the accounts ${CANDIDATES.join(', ')} to run as instead`,
  )
}

function idOf(flag: '-u' | '-g', name: string): number | null {
  try {
    const id = Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
    return Number.isInteger(id) && id > 0 ? id : null
  } catch {
    return null
  }
}

/** Whether the account may pass through every directory above `path`. */
export function canReach(account: Account, path: string): boolean {
  for (let at = dirname(resolve(path)); ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at)
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** The stand-in for a path that the account cannot reach: always the same one for the same path. */
export function standInFor(path: string): string {
  const standIn = join('/var/tmp', `falaj-${createHash('sha256').update(resolve(path)).digest('hex').slice(0, 16)}`)
  try {
    mkdirSync(standIn, { mode: 0o711 })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
  }
  // Anybody can create names under /var/tmp: what is there must be ours before anything is run or stored in it.
  const found = lstatSync(standIn)
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0)
    throw new Error(`${standIn} exists and is not a directory that only root can write to`)
  return standIn
}
