/** Outside parties that take notices: the webhook of a TPP and the LFI's operations about consents. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Certificate } from '../../gateway/support/pki.ts'

export type Received = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly at: number
}
export type Answering = (received: Received, response: ServerResponse) => void
export type Receiver = {
  readonly origin: string
  readonly received: Received[]
  /** For what comes from now on. */
  answer: Answering
  /** Resolves when so many have come, in all. */
  until(count: number): Promise<readonly Received[]>
  /** Whoever waits for an answer waits no longer. */
  hangUp(): void
  close(): Promise<void>
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answering =>
  (_received, response) => {
    response.writeHead(code, headers)
    response.end(body)
  }
export const json = (code: number, body: unknown): Answering =>
  status(code, { 'content-type': 'application/json' }, JSON.stringify(body))
/** Takes the request and says nothing. */
export const silence: Answering = () => {}

/** `trusted`: asks for a client certificate of that authority. */
export async function startReceiver(certificate: Certificate, trusted?: string): Promise<Receiver> {
  const received: Received[] = []
  let waiting: (() => void)[] = []
  const receiver: { answer: Answering } = { answer: status(202) }
  const server = createServer(
    {
      cert: certificate.certificate,
      key: certificate.key,
      ...(trusted === undefined ? {} : { ca: trusted, requestCert: true, rejectUnauthorized: true }),
    },
    async (request, response) => {
      const one = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: await text(request),
        at: Date.now(),
      }
      received.push(one)
      receiver.answer(one, response)
      const told = waiting
      waiting = []
      for (const tell of told) tell()
    },
  )
  const port = await listen(server)
  return Object.assign(receiver, {
    origin: `https://localhost:${port}`,
    received,
    until: async (count: number) => {
      while (received.length < count) await new Promise<void>((tell) => waiting.push(tell))
      return received
    },
    hangUp: () => server.closeAllConnections(),
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()))
      server.closeAllConnections()
      await closed
    },
  })
}

function listen(server: Server): Promise<number> {
  return new Promise((ready) => {
    server.listen(0, 'localhost', () => ready((server.address() as AddressInfo).port))
  })
}
