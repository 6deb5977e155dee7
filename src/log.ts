import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/**
 * The last line of defence only: nothing in the code hands a payload, token or personal datum to a logger, and these
 * members are cut should somebody log an object that carries them. `code` is an authorization code; the code of an
 * error is logged as `errorCode`.
 */
export const REDACTED = [
  'authorization',
  'cookie',
  'set-cookie',
  'client_assertion',
  'code',
  'refresh_token',
  'access_token',
  'id_token',
  'request',
  'psuIdentifiers',
  'accountIds',
  'headers',
] as const

export function createLog(options: { readonly level: LogLevel; readonly name: string }, to?: DestinationStream): Log {
  return pino(
    {
      level: options.level,
      base: { service: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: [...REDACTED, ...REDACTED.map((name) => `*["${name}"]`)].map(quoted), censor: '[redacted]' },
    },
    to ?? pino.destination({ sync: false, minLength: 0 }),
  )
}

const quoted = (path: string): string => (path.startsWith('*') ? path : `["${path}"]`)

type LoggedError = {
  readonly type: string
  readonly message: string
  readonly stack: string | undefined
  readonly errorCode?: unknown
  readonly cause?: LoggedError
}
/** How deep a chain of causes is followed; it may be a circle. */
const CAUSES_MAX = 5

/**
 * Of an error only what is known to be words of a program. Other members may hold data: PostgreSQL's `detail` quotes
 * the row at fault, an HTTP client's error the request.
 */
function describeError(thrown: unknown, depth = 0): LoggedError | undefined {
  if (thrown === undefined || thrown === null) return undefined
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: 'not an Error', stack: undefined }
  const { code } = thrown as { readonly code?: unknown }
  const cause = depth < CAUSES_MAX ? describeError(thrown.cause, depth + 1) : undefined
  return {
    type: thrown.name,
    message: thrown.message,
    stack: thrown.stack,
    ...(typeof code === 'string' || typeof code === 'number' ? { errorCode: code } : {}),
    ...(cause === undefined ? {} : { cause }),
  }
}
