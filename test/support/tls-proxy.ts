/**
 * A small reverse proxy that ends TLS, as an operator has one in front of the hub: it asks callers for a certificate and
 * judges none, drops what they say of certificates and addresses, and hands on what it saw (RFC 9440) over mutual TLS.
 */
import type { IncomingMessage } from 'node:http'
import { Agent, createServer, request as requestTls } from 'node:https'
import type { TLSSocket } from 'node:tls'

type Pem = { readonly certificate: string; readonly key: string }
export type TlsProxy = { close(): Promise<void> }
export type ProxySettings = {
  readonly port: number
  readonly server: Pem
  /** What it shows to the hub. */
  readonly own: Pem
  /** Port of the hub's listener. */
  readonly target: number
  readonly targetCa: string
}

const WRITTEN_HERE = /^(client-cert|client-cert-chain|x-forwarded-for|forwarded|connection)$/i

export async function startTlsProxy({ port, server, own, target, targetCa }: ProxySettings): Promise<TlsProxy> {
  const agent = new Agent({
    keepAlive: true,
    cert: own.certificate,
    key: own.key,
    ca: targetCa,
    servername: 'localhost',
    maxSockets: 32,
  })
  const listening = createServer(
    { cert: server.certificate, key: server.key, requestCert: true, rejectUnauthorized: false },
    (asked, answer) => {
      const onward = requestTls(
        {
          agent,
          host: '127.0.0.1',
          port: target,
          method: asked.method,
          path: asked.url,
          headers: [...handedOn(asked)],
        },
        (response) => {
          answer.writeHead(response.statusCode ?? 502, response.rawHeaders)
          response.pipe(answer)
        },
      )
      onward.on('error', () => answer.destroy())
      asked.pipe(onward)
    },
  )
  await new Promise<void>((ready) => listening.listen(port, '127.0.0.1', ready))
  return {
    close: () =>
      new Promise((done) => {
        listening.close(() => {
          agent.destroy()
          done()
        })
        listening.closeAllConnections()
      }),
  }
}

function handedOn(asked: IncomingMessage): readonly string[] {
  const kept: string[] = []
  for (let at = 0; at < asked.rawHeaders.length; at += 2) {
    const name = asked.rawHeaders[at] ?? ''
    if (!WRITTEN_HERE.test(name)) kept.push(name, asked.rawHeaders[at + 1] ?? '')
  }
  const socket = asked.socket as TLSSocket
  kept.push('X-Forwarded-For', socket.remoteAddress ?? '')
  const certificate = socket.getPeerX509Certificate()
  if (certificate !== undefined) kept.push('Client-Cert', byteSequence(certificate.raw))
  return kept
}

/** RFC 8941 3.3.5. */
export const byteSequence = (bytes: Buffer): string => `:${bytes.toString('base64')}:`
