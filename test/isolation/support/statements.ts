/** Every statement that the process sends to PostgreSQL, as text without values. */
import pg from 'pg'

export type Statements = {
  during<T>(work: () => Promise<T>): Promise<{ result: T; statements: readonly string[] }>
  restore(): void
}

type Query = (this: pg.Client, ...given: unknown[]) => unknown

/** A value in a statement is a binding; a list of bindings is as long as what it holds, so its length is folded away. */
const shape = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\$\d+(?:, ?\$\d+)*/g, '$')
    .trim()

/** What no request causes comes in between: the sealer, the sweeper, reports and the refresh of participants. */
const OF_TIMERS = [
  /\breport_|\boutage|\bheartbeat/,
  /\baudit_(?:leaf|tile|head|checkpoint|key)\b|^insert into audit_entry \(bytes\)/,
  /^with taken as|pg_advisory_xact_lock|^select clock_timestamp\(\) as now$/,
  /"due_at" <= |refresh_claimed_until|^delete from oidc_model/,
  /^(?:begin|commit|rollback);?$/i,
]
const isOfTimer = (text: string): boolean => OF_TIMERS.some((known) => known.test(text))

export function watchStatements(): Statements {
  const prototype = pg.Client.prototype as unknown as { query: Query }
  const original = prototype.query
  let seen: string[] = []
  prototype.query = function (this: pg.Client, ...given: unknown[]) {
    const [asked] = given
    seen.push(shape(typeof asked === 'string' ? asked : String((asked as { readonly text?: unknown }).text)))
    return original.apply(this, given)
  }
  return {
    during: async (work) => {
      seen = []
      const result = await work()
      return { result, statements: seen.filter((text) => !isOfTimer(text)) }
    },
    restore: () => {
      prototype.query = original
    },
  }
}
