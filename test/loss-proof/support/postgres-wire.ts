/** PostgreSQL's frontend/backend protocol (version 3), as far as one must read it to see what becomes durable when. */

export type Message = { readonly type: string; readonly body: Buffer; readonly bytes: Buffer }
export type Framer = (chunk: Buffer) => readonly Message[]

const HEADER_BYTES = 5
const LENGTH_BYTES = 4

/** Cuts a stream into messages. The first one of a client has no type. */
export function createFramer(options: { readonly startsUntyped: boolean }): Framer {
  let rest: Buffer = Buffer.alloc(0)
  let untyped = options.startsUntyped
  const next = (): Message | null => {
    const typeBytes = untyped ? 0 : HEADER_BYTES - LENGTH_BYTES
    if (rest.length < typeBytes + LENGTH_BYTES) return null
    const end = typeBytes + rest.readInt32BE(typeBytes)
    if (rest.length < end) return null
    const bytes = rest.subarray(0, end)
    const message = {
      type: untyped ? 'startup' : String.fromCharCode(bytes[0] ?? 0),
      body: bytes.subarray(typeBytes + LENGTH_BYTES),
      bytes,
    }
    untyped = false
    rest = rest.subarray(end)
    return message
  }
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const messages: Message[] = []
    for (let message = next(); message !== null; message = next()) messages.push(message)
    return messages
  }
}

const textIn = (body: Buffer, from: number): string => body.toString('utf8', from, body.indexOf(0, from))

/**
 * The SQL that a message of one session has the server run, with a Query or a Bind; null for any other. A Parse only gives
 * it a name, under which it may be run again and again.
 */
export function createStatementReader(): (message: Message) => string | null {
  const named = new Map<string, string>()
  return ({ type, body }) => {
    if (type === 'Q') return textIn(body, 0)
    const second = body.indexOf(0) + 1
    if (type === 'P') named.set(textIn(body, 0), textIn(body, second))
    return type === 'B' ? (named.get(textIn(body, second)) ?? '') : null
  }
}

/** Whether a CommandComplete says that something was changed or a transaction was committed. */
export function saysDone({ type, body }: Message): boolean {
  if (type !== 'C') return false
  const tag = textIn(body, 0)
  return tag === 'COMMIT' || (/^(?:INSERT|UPDATE|DELETE|MERGE) /.test(tag) && !tag.endsWith(' 0'))
}

export const isCommit = (sql: string): boolean => /^\s*commit\b/i.test(sql)
export const isBegin = (sql: string): boolean => /^\s*begin\b/i.test(sql)
/** Statements of the hub that write begin with the verb, or with a common table expression. */
export const writes = (sql: string): boolean =>
  /^\s*(?:insert|update|delete|merge)\b/i.test(sql) ||
  (/^\s*with\b/i.test(sql) && /\b(?:insert|update|delete)\b/i.test(sql))

/** After a ReadyForQuery that says so, nothing of the session is waiting for a commit. */
export const isIdle = ({ type, body }: Message): boolean => type === 'Z' && body.toString('latin1') === 'I'
