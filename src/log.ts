import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/**
 * The last line of defence only: nothing in the code hands a payload, token or personal datum to a logger, and these
 * members are cut should somebody log an object that carries them.
 */
const REDACT = [
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
]

export function createLog(options: { readonly level: LogLevel; readonly name: string }, to?: DestinationStream): Log {
  return pino(
    {
      level: options.level,
      base: { service: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...REDACT, ...REDACT.map((name) => `*["${name}"]`), 'headers'], censor: '[redacted]' },
    },
    to ?? pino.destination({ sync: false, minLength: 0 }),
  )
}
