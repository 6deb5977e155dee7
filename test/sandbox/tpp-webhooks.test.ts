/** The webhook of "Wadi Budget": what it takes from a hub, what it does not believe, and what a person gets to see. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CompactEncrypt, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, createBrowser, type Exit, type Page } from '../../sandbox/demo/browser.ts'
import { type RunningTpp, startTpp } from '../../sandbox/tpp/app.ts'
import { type StandIn, startStandIn } from './tpp-stand-in.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
let standIn: StandIn
let dataDir: string
let tpp: RunningTpp
let browser: Browser

beforeAll(async () => {
  standIn = await startStandIn()
  dataDir = mkdtempSync(join(tmpdir(), 'falaj-wadi-'))
  const keyFile = join(dataDir, 'encryption.pem')
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const start = (port: number): Promise<RunningTpp> =>
    startTpp({
      listen: { port, server: standIn.server },
      publicUrl: `https://localhost:${port}`,
      trustFrameworkUrl: standIn.issuer,
      caFile: standIn.caFile,
      application: standIn.application,
      webhook: { url: `https://localhost:${port}/webhooks`, keyFile },
      dataDir,
    })
  const scout = await start(0)
  await scout.close()
  tpp = await start(scout.port)
  browser = createBrowser({ ca: standIn.ca, exitAt: (url) => url.pathname === '/authorize' })
})
afterAll(async () => {
  await browser.close()
  await tpp.close()
  await standIn.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const page = (at: Page | Exit): Page => {
  if ('exit' in at) throw new Error(`left for ${at.exit.href}`)
  return at
}
async function connect(): Promise<string> {
  const home = page(await browser.open(`${tpp.url}/`))
  const form = home.forms.find(({ action }) => action === '/connect')
  const press = form?.controls.find(({ value }) => value === 'aurora')
  if (form === undefined) throw new Error('no form')
  const left = await browser.submit(home, form, { press })
  if (!('exit' in left)) throw new Error('no redirect to the bank')
  const back = page(await browser.open(`${tpp.url}/callback?${standIn.approve(left.exit.href)}`))
  return (
    /id="consent-id"[^>]*>([0-9a-f-]{36})</.exec(back.html)?.[1] ?? new URL(back.url).pathname.split('/').at(-1) ?? ''
  )
}

const claimsOf = (consentId: string, changes: JWTPayload = {}): JWTPayload => {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: standIn.issuer,
    aud: [standIn.application.clientId],
    iat: now,
    nbf: now,
    exp: now + 300,
    jti: randomUUID(),
    message: {
      Data: { ConsentId: consentId, Status: 'Revoked' },
      Meta: {
        EventDateTime: new Date().toISOString(),
        EventResource: `${standIn.issuer}/account-access-consents/${consentId}`,
        EventType: 'Resource.Updated',
        ConsentId: consentId,
      },
    },
    ...changes,
  }
}
const encrypted = (jws: string, key: KeyObject = publicKey, header: object = {}): Promise<string> =>
  new CompactEncrypt(Buffer.from(jws))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', ...header })
    .encrypt(key)

function post(body: string, headers: Readonly<Record<string, string>> = {}, method = 'POST') {
  return new Promise<{ status: number; interactionId: unknown; body: string }>((resolve, reject) => {
    const sent = request(
      `${tpp.url}/webhooks`,
      { method, ca: standIn.ca, agent: false, headers: { 'content-type': 'application/jwe', ...headers } },
      (response) => {
        let text = ''
        response.on('data', (part) => {
          text += String(part)
        })
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            interactionId: response.headers['x-fapi-interaction-id'],
            body: text,
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
const shownOf = async (consentId: string): Promise<readonly string[]> => {
  const { html } = page(await browser.open(`${tpp.url}/`))
  return [...html.matchAll(/data-consent="([^"]+)"\s+data-status="([^"]+)"/g)].flatMap(([, id, status]) =>
    id === consentId ? [status ?? ''] : [],
  )
}

test('an event is acknowledged and shown to the person whose consent it is about, once', async () => {
  const consentId = await connect()
  const interactionId = randomUUID()
  const jws = await standIn.sign(claimsOf(consentId))
  expect(await post(await encrypted(jws), { 'x-fapi-interaction-id': interactionId })).toEqual({
    status: 202,
    interactionId,
    body: '',
  })
  expect(await shownOf(consentId)).toEqual(['Revoked'])
  // A hub that did not get the answer sends it again.
  expect((await post(await encrypted(jws))).status).toBe(202)
  expect(await shownOf(consentId)).toEqual(['Revoked'])
  const stranger = createBrowser({ ca: standIn.ca })
  expect(page(await stranger.open(`${tpp.url}/`)).html).not.toContain(consentId)
  await stranger.close()
})

test('a consent is asked for with the webhook', async () => {
  const home = page(await browser.open(`${tpp.url}/`))
  const form = home.forms.find(({ action }) => action === '/connect')
  if (form === undefined) throw new Error('no form')
  const left = await browser.submit(home, form, { press: form.controls.find(({ value }) => value === 'aurora') })
  if (!('exit' in left)) throw new Error('no redirect')
  expect(standIn.pushed(left.exit.href)).toMatchObject({
    subscription: { Webhook: { Url: `${tpp.url}/webhooks`, IsActive: true } },
  })
})

describe('is not believed', () => {
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const signedBy = (key: KeyObject, claims: JWTPayload) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'PS256', kid: 'hub-1' }).sign(key)
  const past = Math.floor(Date.now() / 1000) - 1_000

  test.each<[string, (consentId: string) => Promise<string>]>([
    ['signed by another key', async (id) => encrypted(await signedBy(foreign.privateKey, claimsOf(id)))],
    ['for another client', async (id) => encrypted(await standIn.sign(claimsOf(id, { aud: [randomUUID()] })))],
    ['of another issuer', async (id) => encrypted(await standIn.sign(claimsOf(id, { iss: 'https://evil.example' })))],
    ['run out', async (id) => encrypted(await standIn.sign(claimsOf(id, { nbf: past, exp: past + 300 })))],
    ['good for a day', async (id) => encrypted(await standIn.sign(claimsOf(id, { exp: past + 86_400 })))],
    ['without a message', async (id) => encrypted(await standIn.sign(claimsOf(id, { message: undefined })))],
    ['encrypted to another key', async (id) => encrypted(await standIn.sign(claimsOf(id)), foreign.publicKey)],
    [
      'encrypted in another way',
      async (id) => encrypted(await standIn.sign(claimsOf(id)), publicKey, { enc: 'A128GCM' }),
    ],
    ['not encrypted', (id) => standIn.sign(claimsOf(id))],
    ['no JWE at all', async () => 'hello'],
  ])('%s', async (_name, make) => {
    const consentId = await connect()
    expect((await post(await make(consentId))).status).toBe(400)
    expect(await shownOf(consentId)).toEqual([])
  })

  test('what comes as something else, or is asked for', async () => {
    const jwe = await encrypted(await standIn.sign(claimsOf(randomUUID())))
    expect((await post(jwe, { 'content-type': 'application/json' })).status).toBe(415)
    expect((await post(jwe, {}, 'PUT')).status).toBe(405)
    expect((await post('x'.repeat(200_000))).status).toBe(413)
  })
})
