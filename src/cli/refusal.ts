/**
 * How a command says that it did not do what it was asked: a sentence for a person, or with --json one line of JSON, both
 * on the error output, so that what is read from the other is only ever a result. The exit status tells it first.
 */
import type { Command } from 'commander'
import { HubError, OperatorError, toHubError } from '../errors.ts'

/** Of every refusal: which kind it is, and what to mend. `Usage`: the command was not understood. */
type Refusal = { readonly error: { readonly code: string; readonly message: string } }

/** Of what a user wrote, so that even a command that was not understood is answered as it was asked. */
export const wantsJson = (args: readonly string[]): boolean => args.includes('--json')

export function complain(thrown: unknown, isJson: boolean = wantsJson(process.argv)): void {
  if (isJson) console.error(JSON.stringify(refusalOf(thrown)))
  // Such an error says what to mend; a stack would only bury it.
  else console.error(toldOf(thrown)?.message ?? thrown)
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

type Told = { readonly code: string; readonly message: string }

/** The rules refused it, there is something to mend, or the database is not there. null: a fault of ours. */
function toldOf(thrown: unknown): Told | null {
  if (thrown instanceof OperatorError) return { code: 'Refused', message: thrown.message }
  if (thrown instanceof HubError) return thrown.status < 500 ? { code: thrown.code, message: thrown.reason } : null
  if (!(thrown instanceof Error)) return null
  const { code } = thrown as { readonly code?: unknown }
  // Which address, which account; what was to be stored is never in such a message (db.ts).
  const why = thrown.message === '' ? String(code) : thrown.message
  if (toHubError(thrown).code === 'GenericRecoverableError') {
    return { code: 'GenericRecoverableError', message: `the database does not answer: ${why}` }
  }
  if (typeof code !== 'string' || !NOT_LET_IN.test(code)) return null
  return { code: 'Refused', message: `the database refuses: ${why}` }
}

/** PostgreSQL's own: no such account or password, no such database, no right to it. */
const NOT_LET_IN = /^(28\w{3}|3D000|42501)$/

const refusalOf = (thrown: unknown): Refusal => ({
  error: toldOf(thrown) ?? {
    code: 'GenericError',
    message: thrown instanceof Error ? thrown.message : 'thrown value',
  },
})
