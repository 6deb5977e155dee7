/** One add-checkpoint call to a witness. */
import { type IncomingMessage, request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'

export type WitnessAnswer = { readonly status: number; readonly body: string }

const ANSWER_MS = 5_000
const ANSWER_BYTES_MAX = 65_536

export function askWitness(
  { url, ca }: { readonly url: string; readonly ca: string | null },
  body: string,
): Promise<WitnessAnswer> {
  const target = new URL('add-checkpoint', url.endsWith('/') ? url : `${url}/`)
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(ca === null ? {} : { ca }),
    }
    const take = (response: IncomingMessage): void => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
        if (text.length > ANSWER_BYTES_MAX) response.destroy(new Error('the answer of the witness is too long'))
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
      response.once('error', reject)
    }
    const call = target.protocol === 'http:' ? overHttp(target, options, take) : overHttps(target, options, take)
    call.once('error', reject)
    call.end(body)
  })
}
