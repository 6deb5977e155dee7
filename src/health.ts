/**
 * What an orchestrator asks a process, where it cannot show a client certificate: is it alive, and may it be sent
 * requests. Plain HTTP on an address of its own, not for the outside world: it says which part fails, and nothing of
 * anybody. Figures are at the admin door.
 */
import { createServer, type Server } from 'node:http'
import type { HealthConfig } from './config.ts'
import { OperatorError } from './errors.ts'

/** By tenant, the parts that fail; none is ready. */
export type Failing = () => Promise<Readonly<Record<string, readonly string[]>>>
export type Health = { close(): Promise<void> }

const REQUEST_MS = 5_000

export async function openHealth({ address, port }: HealthConfig, failing: Failing): Promise<Health> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    const answer = (status: number, body: object): void => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        connection: 'close',
      })
      response.end(JSON.stringify(body))
    }
    if (request.method !== 'GET') return answer(405, { status: 'no such operation' })
    if (request.url === '/health/live') return answer(200, { status: 'up' })
    if (request.url !== '/health/ready') return answer(404, { status: 'no such resource' })
    failing().then(
      (parts) =>
        Object.keys(parts).length === 0
          ? answer(200, { status: 'ready' })
          : answer(503, { status: 'not-ready', failing: parts }),
      () => answer(503, { status: 'not-ready' }),
    )
  })
  await listening(server, address, port)
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

const listening = (server: Server, address: string, port: number): Promise<void> =>
  new Promise((ready, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      failed(new OperatorError(`cannot listen on ${address} port ${port}: ${cause.code ?? cause.message}`, { cause })),
    )
    server.listen({ host: address, port }, ready)
  })
