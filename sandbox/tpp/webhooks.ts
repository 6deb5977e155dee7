/**
 * The address to which hubs send events (tpp-api 8). What arrives is for this application only, or cannot be opened; and
 * it is believed only when the hub of a bank that the directory lists has signed it.
 */
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { compactDecrypt, decodeJwt } from 'jose'
import type Koa from 'koa'
import type { TppClient } from './client.ts'
import type { Notice, Notices } from './notices.ts'
import type { WebhookSettings } from './settings.ts'
import { INTERACTION_HEADER } from './transport.ts'

const PAYMENT = /\/(?:file-)?payments\/[^/]+$/
const BODY_BYTES_MAX = 128 * 1024

export function webhookDoor(settings: WebhookSettings, client: TppClient, notices: Notices): Koa.Middleware {
  const path = new URL(settings.url).pathname
  const key = createPrivateKey(readFileSync(settings.keyFile))
  const open = async (jwe: string): Promise<string> => {
    const { plaintext } = await compactDecrypt(jwe, key, {
      keyManagementAlgorithms: ['RSA-OAEP-256'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return Buffer.from(plaintext).toString('utf8')
  }
  return async (ctx, next) => {
    if (ctx.path !== path) return next()
    if (ctx.method !== 'POST') return ctx.throw(405)
    const interactionId = ctx.get(INTERACTION_HEADER) || null
    if (interactionId !== null) ctx.set(INTERACTION_HEADER, interactionId)
    if (!ctx.is('application/jwe')) return ctx.throw(415)
    const jwe = await readText(ctx)
    ctx.body = null
    ctx.status = await open(jwe)
      .then((jws) => believe(jws, client))
      .then(
        (event) => {
          notices.add({ ...event, at: Date.now(), interactionId }, { resource: event.resource, at: event.changedAt })
          return 202
        },
        () => 400,
      )
  }
}

type Event = {
  readonly consentId: string
  readonly about: Notice['about']
  readonly status: string
  readonly from: string
  readonly resource: string
  readonly changedAt: string
}

/** Who claims to have signed it decides whose keys are asked, and nothing else. */
async function believe(jws: string, client: TppClient): Promise<Event> {
  const { iss } = decodeJwt(jws)
  const lfi = (await client.lfis()).find(({ issuer }) => issuer === iss)
  if (lfi === undefined) throw new Error('no bank of the directory has this issuer')
  const { message } = await (await client.connect(lfi)).event(jws)
  const { Data, Meta } = message as {
    readonly Data?: { readonly Status?: unknown }
    readonly Meta?: Readonly<Record<string, unknown>>
  }
  const resource = String(Meta?.['EventResource'])
  return {
    consentId: String(Meta?.['ConsentId']),
    about: PAYMENT.test(resource) ? 'payment' : 'consent',
    status: String(Data?.Status),
    from: lfi.name,
    resource,
    changedAt: String(Meta?.['EventDateTime']),
  }
}

async function readText(ctx: Koa.Context): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of ctx.req as AsyncIterable<Buffer>) {
    size += part.length
    if (size > BODY_BYTES_MAX) ctx.throw(413)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
