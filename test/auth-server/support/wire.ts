/** HTTPS as an outside party speaks it: with the client certificate of one's choice, or with none. */
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import type { SecureContextOptions } from 'node:tls'

export type Identity = { readonly certificateFile: string; readonly keyFile: string }
export type Call = {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
}
export type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body when it is a JSON object, else empty. */
  readonly json: Readonly<Record<string, unknown>>
}
/** One caller: its trust anchor and its certificate. Connections are kept, as a real caller keeps them. */
export type Wire = {
  send(url: string, call?: Call): Promise<Answer>
  close(): void
}

const TIMEOUT_MS = 10_000

export function createWire(caFile: string, identity: Identity | null, tls: SecureContextOptions = {}): Wire {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 16,
    ca: readFileSync(caFile),
    ...(identity === null ? {} : { cert: readFileSync(identity.certificateFile), key: readFileSync(identity.keyFile) }),
    ...tls,
  })
  return { send: (url, call = {}) => send(agent, url, call), close: () => agent.destroy() }
}

function send(agent: Agent, url: string, { method = 'GET', headers = {}, body }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const { hostname } = new URL(url)
    const sent = request(
      url,
      // The name that the certificate must be for is the one dialled, whatever the Host header says.
      { method, agent, headers: { ...length, ...headers }, timeout: TIMEOUT_MS, servername: hostname },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const isJson = text !== '' && /^application\/(?:[\w-]+\+)?json/.test(response.headers['content-type'] ?? '')
          const { statusCode: status = 0, headers: answered } = response
          resolve({ status, headers: answered, text, json: isJson ? (JSON.parse(text) as Answer['json']) : {} })
        })
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`no answer from ${url}`)))
    sent.on('error', reject)
    sent.end(body)
  })
}
