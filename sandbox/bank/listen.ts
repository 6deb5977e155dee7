import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type KeyFiles, serverTls } from '../tls.ts'

export type Listening = { readonly port: number; close(): Promise<void> }

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

/**
 * A TLS listener that asks for a client certificate, where an authority is given, but lets the application judge:
 * `GET /hello` must work without one, and every other operation owes the caller a 401 (lfi-api 4.4).
 */
export async function listen(
  settings: { readonly port: number; readonly server: KeyFiles; readonly clientCaFile?: string },
  handle: RequestListener,
): Promise<Listening> {
  const server = createServer(
    {
      ...serverTls(settings.server, settings.clientCaFile),
      ...(settings.clientCaFile === undefined ? {} : { rejectUnauthorized: false }),
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    },
    handle,
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(settings.port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
