/** What processes have used, from proc(5). */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100
const FIELDS = { parent: 1, user: 11, system: 12 } as const

/** The fields after the program's name, which may hold anything; a process that has ended has used nothing. */
function statOf(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

const field = (pid: number, name: keyof typeof FIELDS): number => Number(statOf(pid)[FIELDS[name]] ?? 0)

export const parentOf = (pid: number): number => field(pid, 'parent')

export const childrenOf = (parent: number): readonly number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && parentOf(pid) === parent)

/** User and system time so far. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.reduce((sum, pid) => sum + field(pid, 'user') + field(pid, 'system'), 0)
  return ticks / TICKS_PER_SECOND
}
