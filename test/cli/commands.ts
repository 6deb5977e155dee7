/** The commands of `falaj` as commander has them, without a process. */
import type { Command } from 'commander'
import { vi } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { complain } from '../../src/cli/refusal.ts'
import type { Ran } from '../support/cli.ts'

/** As `falaj … --json` in a process of its own, of which this takes half a second less. */
export async function falajHere(args: readonly string[]): Promise<Ran> {
  const printed = { log: '', error: '' }
  const spies = (['log', 'error'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation((line: unknown) => {
      printed[name] += `${String(line)}\n`
    }),
  )
  try {
    await createProgram(true).parseAsync([...args, '--json'], { from: 'user' })
  } catch (error) {
    complain(error, true)
    process.exitCode = 1
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  const status = Number(process.exitCode ?? 0)
  process.exitCode = undefined
  return { status, out: printed.log, err: printed.error }
}

/** `client list` below `falaj`. */
export function commandNamed(program: Command, words: string): Command {
  return words.split(' ').reduce((at, word) => {
    const found = at.commands.find((each) => each.name() === word)
    if (found === undefined) throw new Error(`there is no command ${words}`)
    return found
  }, program)
}

/** Every command that does something itself, with its words. */
export function leavesOf(command: Command, words: readonly string[] = []): readonly (readonly [string, Command])[] {
  if (command.commands.length === 0) return [[words.join(' '), command]]
  return command.commands.flatMap((each) => leavesOf(each, [...words, each.name()]))
}
