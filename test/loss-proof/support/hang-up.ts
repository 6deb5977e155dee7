/** A caller that has sent its request, and goes away before the answer comes. */
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import type { Identity, Wire } from '../../auth-server/support/wire.ts'

export class HungUp extends Error {}

/** `moment` resolves when it is time to go. */
export function createHangingWire(caFile: string, identity: Identity, moment: () => Promise<void>): Wire {
  const tls = {
    ca: readFileSync(caFile),
    cert: readFileSync(identity.certificateFile),
    key: readFileSync(identity.keyFile),
    agent: false,
  }
  return {
    send: (url, { method = 'GET', headers = {}, body = '' } = {}) =>
      new Promise((_answered, gone) => {
        const sent = request(url, {
          ...tls,
          method,
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        })
        sent.on('response', () => gone(new Error('the answer came first')))
        sent.on('error', () => {})
        sent.on('close', () => gone(new HungUp()))
        sent.end(body)
        moment().then(() => sent.destroy(), gone)
      }),
    close: () => {},
  }
}
