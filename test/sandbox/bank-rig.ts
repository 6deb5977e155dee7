/** A bank with everything around it that it needs: a small certificate authority, a keystore, and the hub's two hosts. */
import '../../sandbox/trust-framework/reflect.ts'
import { randomUUID, webcrypto } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { exportJWK, type JWK, SignJWT } from 'jose'
import { Agent, request } from 'undici'
import { type Bank, type BankCode, startBank } from '../../sandbox/bank/bank.ts'

const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const
const PSS = { ...RSA, name: 'RSA-PSS' } as const

export type Subject = { readonly O: string; readonly OU: string; readonly CN: string }
export type Identity = {
  readonly subject: Subject
  readonly certFile: string
  readonly keyFile: string
  readonly cert: string
  readonly key: string
}
export type SigningKey = {
  readonly kid: string
  readonly key: webcrypto.CryptoKey
  readonly jwk: JWK
  readonly pem: string
}

/** The hub operator; its name holds a comma, which a careless reader of subjects would trip over. */
export const HUB: Subject = { O: 'Falaj Hub, Sandbox', OU: randomUUID(), CN: randomUUID() }
export const IMPOSTOR: Subject = { O: 'Somebody Else', OU: randomUUID(), CN: randomUUID() }

async function generate(algorithm: typeof RSA | typeof PSS): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/(.{64})/g, '$1\n')}\n-----END PRIVATE KEY-----\n`
}

const nameOf = (parts: Readonly<Record<string, string>>): Name =>
  new Name(Object.entries(parts).map(([type, value]) => ({ [type]: [{ utf8String: value }] })))

async function createAuthority(folder: string, label: string) {
  const keys = await generate(RSA)
  const name = nameOf({ O: label, CN: `${label} CA` })
  const dates = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) }
  const root = await X509CertificateGenerator.create({
    subject: name,
    issuer: name,
    ...dates,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: RSA,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  })
  const caFile = join(folder, `${label}.pem`)
  writeFileSync(caFile, root.toString('pem'))
  return {
    caFile,
    ca: root.toString('pem'),
    async issue(subject: Subject): Promise<Identity> {
      const own = await generate(RSA)
      const certificate = await X509CertificateGenerator.create({
        subject: nameOf(subject),
        issuer: name,
        ...dates,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: RSA,
        extensions: [
          new SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      })
      const [cert, key] = [certificate.toString('pem'), await pem(own.privateKey)]
      const stem = join(folder, randomUUID())
      writeFileSync(`${stem}.pem`, cert)
      writeFileSync(`${stem}.key`, key)
      return { subject, cert, key, certFile: `${stem}.pem`, keyFile: `${stem}.key` }
    },
  }
}

export async function createSigningKey(): Promise<SigningKey> {
  const kid = randomUUID()
  const pair = await generate(PSS)
  const jwk = { ...(await exportJWK(pair.publicKey)), kid, use: 'sig' }
  return { kid, key: pair.privateKey, jwk, pem: await pem(pair.privateKey) }
}

async function serve(identity: Identity, ca: string | null, handle: RequestListener): Promise<Server> {
  const server = createServer(
    {
      cert: identity.cert,
      key: identity.key,
      ...(ca === null ? {} : { ca, requestCert: true, rejectUnauthorized: true }),
    },
    handle,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
const originOf = (server: Server): string => `https://localhost:${(server.address() as AddressInfo).port}`

export type HubHandler = (request: IncomingMessage, response: ServerResponse) => void

export type Rig = {
  readonly bank: Bank
  readonly hubKey: SigningKey
  readonly bankKey: SigningKey
  /** A server's certificate for this machine. */
  readonly server: Identity
  readonly hub: Identity
  readonly impostor: Identity
  /** Same subject as the hub, other authority. */
  readonly forged: Identity
  readonly ca: string
  readonly logged: string[]
  /** Key sets by `/{OU}/{CN}`; tests may add to them. */
  readonly keystore: Map<string, JWK[]>
  close(): Promise<void>
}

export const AUDIENCE_OF_HUB = 'hub-tenant'
export const PUBLIC_BASE = 'https://localhost:8443/banks/aurora'

export async function createRig(
  code: BankCode,
  hubHandler: HubHandler = (_, response) => response.writeHead(500).end(),
): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'bank-'))
  const [authority, stranger] = await Promise.all([
    createAuthority(folder, 'Trusted'),
    createAuthority(folder, 'Stranger'),
  ])
  const [server, client, hub, impostor, forged, hubKey, bankKey] = await Promise.all([
    authority.issue({ O: 'Aurora Bank PJSC', OU: randomUUID(), CN: 'localhost' }),
    authority.issue({ O: 'Aurora Bank PJSC', OU: 'aurora-organisation', CN: 'aurora-application' }),
    authority.issue(HUB),
    authority.issue(IMPOSTOR),
    stranger.issue(HUB),
    createSigningKey(),
    createSigningKey(),
  ])
  const keystore = new Map<string, JWK[]>([
    [`/${HUB.OU}/${HUB.CN}`, [hubKey.jwk]],
    [`/${IMPOSTOR.OU}/${IMPOSTOR.CN}`, [hubKey.jwk]],
  ])
  const keystoreServer = await serve(server, null, (asked, answer) => {
    const keys = keystore.get((asked.url ?? '').replace(/\/application\.jwks$/, ''))
    answer.writeHead(keys === undefined ? 404 : 200, { 'content-type': 'application/json' })
    answer.end(JSON.stringify({ keys: keys ?? [] }))
  })
  const hubServer = await serve(server, authority.ca, hubHandler)
  const keyFile = join(folder, 'signing.key')
  writeFileSync(keyFile, bankKey.pem)
  const logged: string[] = []
  const bank = await startBank({
    code,
    name: code === 'aurora' ? 'Aurora Bank PJSC' : 'Meridian Islamic Bank PJSC',
    theme: code === 'aurora' ? 'dawn' : 'oasis',
    ports: { ozoneConnect: 0, pages: 0 },
    tls: { ...server, caFile: authority.caFile },
    hubClient: client,
    signingKey: { kid: bankKey.kid, keyFile },
    encryptionKey: { kid: bankKey.kid, keyFile },
    hub: { hh: originOf(hubServer), cm: originOf(hubServer), audience: AUDIENCE_OF_HUB },
    hubCaller: { organisationId: HUB.OU, keystore: originOf(keystoreServer) },
    publicBase: PUBLIC_BASE.replace('aurora', code),
    seed: 'test',
    stateFile: join(folder, 'state', 'bank.json'),
    ledgerFile: join(folder, 'state', 'payments.jsonl'),
    log: (event) => logged.push(JSON.stringify(event)),
  })
  return {
    bank,
    hubKey,
    bankKey,
    server,
    hub,
    impostor,
    forged,
    ca: authority.ca,
    logged,
    keystore,
    close: async () => {
      await bank.close()
      for (const running of [keystoreServer, hubServer]) {
        running.closeAllConnections()
        await new Promise((resolve) => running.close(resolve))
      }
      rmSync(folder, { recursive: true })
    },
  }
}

export type Claims = Readonly<Record<string, string | number | undefined>>

/** A JWT Auth token of the hub; claims and header can be bent. */
export function hubToken(
  { key, kid }: SigningKey,
  claims: Claims,
  header: Readonly<Record<string, string>> = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const all = { iss: HUB.O, sub: HUB.OU, iat: now, exp: now + 20, jti: randomUUID(), ...claims }
  return new SignJWT(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))
    .setProtectedHeader({ alg: 'PS256', typ: 'JOSE', cty: 'json', kid, ...header })
    .sign(key)
}

export const o3Headers = (bank: string, userId: string): Record<string, string> => ({
  'o3-provider-id': bank,
  'o3-aspsp-id': bank,
  'o3-caller-org-id': randomUUID(),
  'o3-caller-client-id': randomUUID(),
  'o3-caller-software-statement-id': randomUUID(),
  'o3-api-uri': '/open-finance/account-information/v2.1/accounts',
  'o3-api-operation': 'GET',
  'o3-consent-id': randomUUID(),
  'o3-ozone-interaction-id': randomUUID(),
  'o3-psu-identifier': Buffer.from(JSON.stringify({ userId })).toString('base64'),
})

export type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

/** Calls Ozone Connect as the hub would, or as somebody with another certificate, or none. */
export function createCaller(rig: Rig, identity: Identity | null) {
  const agent = new Agent({
    connect: { ca: rig.ca, ...(identity === null ? {} : { cert: identity.cert, key: identity.key }) },
  })
  type Headers = Readonly<Record<string, string>>
  const send = async (path: string, headers: Headers, body: string | null): Promise<Reply> => {
    const method = body === null ? 'GET' : 'POST'
    const answer = await request(`${rig.bank.ozoneConnectUrl}${path}`, { dispatcher: agent, method, headers, body })
    const text = await answer.body.text()
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: text === '' ? null : (JSON.parse(text) as unknown),
    }
  }
  return {
    get: (path: string, headers: Headers): Promise<Reply> => send(path, headers, null),
    post: (path: string, headers: Headers, body: string): Promise<Reply> => send(path, headers, body),
    async send(
      method: 'POST' | 'PATCH',
      path: string,
      headers: Readonly<Record<string, string>>,
      body: unknown,
    ): Promise<Reply> {
      const answer = await request(`${rig.bank.ozoneConnectUrl}${path}`, {
        method,
        dispatcher: agent,
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      const text = await answer.body.text()
      return { status: answer.statusCode, headers: answer.headers, body: text === '' ? null : JSON.parse(text) }
    },
    close: () => agent.close(),
  }
}

/** Interaction ids are random hexadecimal, which may spell the beginning of an account id. */
export const withoutUuids = (text: string): string =>
  text.replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '')
