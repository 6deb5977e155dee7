/** A TLS connection on which a test writes its bytes itself. */
import { once } from 'node:events'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

export type RawAnswer = { readonly text: string; readonly statuses: readonly number[]; readonly isClosed: boolean }

export async function connectRaw(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

/** Sends, then reads until the server closes, or says nothing more for a while. */
export async function exchangeRaw(
  port: number,
  bytes: string,
  options: ConnectionOptions & { readonly quietMs?: number } = {},
): Promise<RawAnswer> {
  const socket = await connectRaw(port, options)
  let text = ''
  let isClosed = false
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.on('close', () => {
      isClosed = true
      resolve()
    })
    socket.setTimeout(options.quietMs ?? 500, resolve)
  })
  socket.write(Buffer.from(bytes, 'latin1'))
  await ended
  socket.destroy()
  return { text, isClosed, statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status)) }
}
