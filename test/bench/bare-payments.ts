/**
 * The yardstick of a payment: a forwarder between the same two mutual TLS legs that does the two RSA operations nobody
 * can do without, verifying what the TPP signed and signing the answer. Nothing is checked, counted or written down.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { Pool } from 'undici'
import { type JWK, loadKey, sign, verify } from '../../src/jose.ts'
import { Secret } from '../../src/secret.ts'

type Settings = {
  readonly port: number
  readonly cert: string
  readonly key: string
  readonly ca: string
  readonly clientCert: string
  readonly clientKey: string
  readonly target: string
  readonly signing: { readonly kid: string; readonly keyFile: string }
  readonly tppKey: JWK
}

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings
const { kid, keyFile } = settings.signing
const key = loadKey({ kid, key: new Secret(readFileSync(keyFile, 'utf8')) })
const ca = readFileSync(settings.ca)
const lfi = new Pool(settings.target, {
  connections: 32,
  pipelining: 1,
  connect: { ca, cert: readFileSync(settings.clientCert), key: readFileSync(settings.clientKey) },
})

async function pay(jws: string, idempotencyKey: string): Promise<string> {
  const verified = await verify(jws, () => settings.tppKey)
  if (!verified.ok) throw new Error(verified.why)
  const order = { request: verified.claims['message'], requestHeaders: { 'x-idempotency-key': idempotencyKey } }
  const answer = await lfi.request({
    method: 'POST',
    path: '/payments',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  })
  return sign(key, { message: await answer.body.json() })
}

createServer(
  {
    cert: readFileSync(settings.cert),
    key: readFileSync(settings.key),
    ca,
    requestCert: true,
    rejectUnauthorized: true,
    keepAliveTimeout: 60_000,
  },
  (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const jws = await pay(Buffer.concat(chunks).toString(), String(request.headers['x-idempotency-key']))
      response.writeHead(201, { 'content-type': 'application/jwt', 'content-length': jws.length }).end(jws)
    })
  },
).listen(settings.port, '127.0.0.1', () => process.send?.('ready'))
process.once('disconnect', () => process.exit(0))
