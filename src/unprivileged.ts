/**
 * PostgreSQL refuses to run as root. When we are root, the server runs as an ordinary account that the machine
 * already has; none is created. Such an account may be unable to enter the place where the project lies (a root-only
 * home directory, say); a root-owned stand-in under /var/tmp then takes that place.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

const STAND_INS = '/var/tmp'
const ORIGINAL = 'stands-in-for'

/** The stand-in for a path that the account cannot reach: always the same one for the same path. */
export function standInFor(path: string): string {
  removeOrphans()
  const digest = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 16)
  const standIn = join(STAND_INS, `falaj-${digest}`)
  try {
    mkdirSync(standIn, { mode: 0o711 })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
  }
  // Anybody can create names there: what is found must be ours before anything is run or stored in it.
  if (!isOurs(standIn)) throw new Error(`${standIn} exists and is not a directory that only root can write to`)
  writeFileSync(join(standIn, ORIGINAL), resolve(path))
  return standIn
}

function isOurs(standIn: string): boolean {
  const found = lstatSync(standIn, { throwIfNoEntry: false })
  if (found === undefined) return false
  return found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0
}

/** A stand-in goes when what it stands in for has gone, unless a server still works in it. */
function removeOrphans(): void {
  for (const name of readdirSync(STAND_INS)) {
    const standIn = join(STAND_INS, name)
    if (!/^falaj-[0-9a-f]{16}$/.test(name) || !isOurs(standIn)) continue
    const original = originalOf(standIn)
    const isOrphan = original !== null && !existsSync(original)
    if (isOrphan && !existsSync(join(standIn, 'data/cluster/postmaster.pid')))
      rmSync(standIn, { recursive: true, force: true })
  }
}

function originalOf(standIn: string): string | null {
  try {
    return readFileSync(join(standIn, ORIGINAL), 'utf8')
  } catch {
    // Being made, or being removed, by another process at this moment.
    return null
  }
}
