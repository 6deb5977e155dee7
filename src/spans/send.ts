/** One batch to the collector. */
import { type IncomingMessage, request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import type { TracingConfig } from '../config.ts'

/** Why it was not taken; null where it was. */
export function send({ endpoint, ca, authorization, timeoutMs }: TracingConfig, body: string): Promise<string | null> {
  const target = new URL(endpoint)
  const options = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(authorization === null ? {} : { authorization: authorization.reveal() }),
    },
    signal: AbortSignal.timeout(timeoutMs),
    ...(ca === null ? {} : { ca }),
  }
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.name)
    const take = (response: IncomingMessage): void => {
      const { statusCode = 0 } = response
      response.once('error', failed)
      response.once('end', () => resolve(statusCode >= 200 && statusCode <= 299 ? null : `answered ${statusCode}`))
      response.resume()
    }
    const call = target.protocol === 'http:' ? overHttp(target, options, take) : overHttps(target, options, take)
    call.once('error', failed)
    call.end(body)
  })
}
