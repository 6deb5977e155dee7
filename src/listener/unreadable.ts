/**
 * What Node.js cannot read as HTTP, or does not wait for any longer. It would answer by itself, and leave no trace; the
 * answers here are the same, with an interaction id like all others, and are counted.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { type Duplex, finished } from 'node:stream'
import { newCorrelationId } from '../ids.ts'
import type { EarlyReason } from './refused.ts'

type Told = { readonly status: number; readonly text: string; readonly reason: EarlyReason }

const TOLD: ReadonlyMap<string, Told> = new Map([
  ['HPE_HEADER_OVERFLOW', { status: 431, text: 'Request Header Fields Too Large', reason: 'headers' }],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', { status: 413, text: 'Payload Too Large', reason: 'headers' }],
  ['ERR_HTTP_REQUEST_TIMEOUT', { status: 408, text: 'Request Timeout', reason: 'time' }],
])
const MALFORMED: Told = { status: 400, text: 'Bad Request', reason: 'unreadable' }

export function answerUnreadable(
  server: Server,
  header: string,
  refused: (connection: Duplex, status: number, reason: EarlyReason) => void,
): void {
  const underWay = new WeakMap<Duplex, Set<ServerResponse>>()
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const here = underWay.get(socket) ?? new Set()
    underWay.set(socket, here.add(response))
    finished(response, () => here.delete(response))
  })
  // Also called for faults of the handshake and of the connection, about which nobody can be told.
  server.on('clientError', (error: NodeJS.ErrnoException, connection: Duplex) => {
    const told = TOLD.get(error.code ?? '') ?? (error.code?.startsWith('HPE_') === true ? MALFORMED : null)
    if (told !== null) refused(connection, told.status, told.reason)
    // In the middle of another answer this one would be taken for a part of it.
    const isBegun = [...(underWay.get(connection) ?? [])].some(({ headersSent }) => headersSent)
    if (told === null || isBegun || !connection.writable) return void connection.destroy(error)
    const lines = [`HTTP/1.1 ${told.status} ${told.text}`, 'Connection: close', `${header}: ${newCorrelationId()}`]
    connection.write(`${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`)
    connection.destroy(error)
  })
}
