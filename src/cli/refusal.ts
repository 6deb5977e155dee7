/**
 * How a command says that it did not do what it was asked: a sentence for a person, or with --json one line of JSON, both
 * on the error output, so that what is read from the other is only ever a result. The exit status tells it first.
 */
import type { Command } from 'commander'
import { HubError, OperatorError } from '../errors.ts'

/** Of every refusal: which kind it is, and what to mend. `Usage`: the command was not understood. */
type Refusal = { readonly error: { readonly code: string; readonly message: string } }

/** Of what a user wrote, so that even a command that was not understood is answered as it was asked. */
export const wantsJson = (args: readonly string[]): boolean => args.includes('--json')

export function complain(thrown: unknown, isJson: boolean = wantsJson(process.argv)): void {
  if (isJson) console.error(JSON.stringify(refusalOf(thrown)))
  // Such an error says what to mend; a stack would only bury it.
  else console.error(isTold(thrown) ? reasonOf(thrown) : thrown)
}

/** What commander finds wrong is told the same way. */
export function complainOfUsage(command: Command, isJson: boolean): void {
  if (!isJson) {
    command.showHelpAfterError('(add --help for what is possible)')
    return
  }
  command.configureOutput({
    outputError: (text, write) => {
      const refusal: Refusal = { error: { code: 'Usage', message: text.trim().replace(/^error: /, '') } }
      write(`${JSON.stringify(refusal)}\n`)
    },
  })
}

/** The rules refused it, or there is something to mend; anything else is a fault of ours. */
type Told = HubError | OperatorError
const isTold = (thrown: unknown): thrown is Told =>
  thrown instanceof OperatorError || (thrown instanceof HubError && thrown.status < 500)

const reasonOf = (told: Told): string => (told instanceof HubError ? told.reason : told.message)

function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof HubError) return { error: { code: thrown.code, message: thrown.reason } }
  if (thrown instanceof OperatorError) return { error: { code: 'Refused', message: thrown.message } }
  return { error: { code: 'GenericError', message: thrown instanceof Error ? thrown.message : 'thrown value' } }
}
