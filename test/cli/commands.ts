/** The commands of `falaj` as commander has them, without a process. */
import { type Command, CommanderError } from 'commander'
import { vi } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { complain } from '../../src/cli/refusal.ts'
import type { Ran } from '../support/cli.ts'

/** As `falaj … --json` in a process of its own, of which this takes half a second less. */
export const falajHere = (args: readonly string[]): Promise<Ran> => runHere([...args, '--json'], true)

/** Without --json: what people read. */
export const falajSaid = (args: readonly string[]): Promise<Ran> => runHere(args, false)

async function runHere(args: readonly string[], isJson: boolean): Promise<Ran> {
  const printed = { log: '', error: '' }
  const spies = (['log', 'error'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation((line: unknown) => {
      printed[name] += `${String(line)}\n`
    }),
  )
  const program = createProgram(isJson)
  for (const [, command] of [['', program] as const, ...below(program)]) {
    // Commander would end this process.
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        printed.log += text
      },
      writeErr: (text) => {
        printed.error += text
      },
    })
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode
    else {
      complain(error, isJson)
      process.exitCode = 1
    }
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
export const leavesOf = (program: Command): readonly (readonly [string, Command])[] =>
  below(program).filter(([, command]) => command.commands.length === 0)

function below(command: Command, words: readonly string[] = []): readonly (readonly [string, Command])[] {
  return command.commands.flatMap((each) => {
    const own = [...words, each.name()]
    return [[own.join(' '), each] as const, ...below(each, own)]
  })
}
