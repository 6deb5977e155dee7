/** A TPP's side of the wire: requests with or without certificate, and raw bytes. */
import type { IncomingHttpHeaders } from 'node:http'
import { type Agent, request } from 'node:https'
import { connect } from 'node:tls'
import type { Certificate } from './pki.ts'

export type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** First error of the body, if there is one. */
  readonly error: { readonly Code: string; readonly Message: string; readonly Path?: string } | undefined
  readonly json: () => unknown
}
export type Call = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
  readonly certificate?: Certificate | null
  readonly signal?: AbortSignal
}
export type Client = {
  readonly origin: string
  readonly ca: string
  /** Keeps connections; without one each call has its own. */
  readonly agent?: Agent
}

export function send({ origin, ca, agent }: Client, call: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { certificate } = call
    const { hostname, port } = new URL(origin)
    const sent = request(
      {
        hostname,
        port,
        // As it is: a URL would be tidied up first.
        path: call.path,
        method: call.method ?? 'GET',
        headers: call.headers as Record<string, string | string[]>,
        ca,
        agent: agent ?? false,
        ...(certificate ? { cert: certificate.certificate, key: certificate.key } : {}),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const isJson = String(response.headers['content-type']).startsWith('application/json')
          const body = isJson ? (JSON.parse(text) as { Errors?: Answer['error'][] }) : {}
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            error: Array.isArray(body) ? undefined : body.Errors?.[0],
            json: () => JSON.parse(text) as unknown,
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(call.body)
  })
}

/** Sends bytes as they are and returns everything that comes back until the hub closes, or `ms` have passed. */
export function sendRaw({ origin, ca }: Client, certificate: Certificate, bytes: string, ms = 1_000): Promise<string> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      servername: hostname,
      port: Number(port),
      ca,
      cert: certificate.certificate,
      key: certificate.key,
    })
    let received = ''
    const timer = setTimeout(() => socket.destroy(), ms)
    socket.on('secureConnect', () => socket.write(bytes))
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
    })
    socket.on('error', reject)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(received)
    })
  })
}
