/** A data folder enrolled for one test file, the directory running on it, and a caller. */
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll } from 'vitest'
import { clientTls, type KeyFiles } from '../../sandbox/tls.ts'
import { type EnrolSettings, enrol } from '../../sandbox/trust-framework/enrol.ts'
import type { Enrolment } from '../../sandbox/trust-framework/enrolment.ts'
import { startTrustFramework, type TrustFramework } from '../../sandbox/trust-framework/server.ts'

export const dataDir = mkdtempSync(join(tmpdir(), 'falaj-directory-'))
export const SETTINGS: EnrolSettings = {
  dataDir,
  origins: {
    edge: 'https://localhost:8443',
    keystore: 'https://localhost:8450',
    hubs: {
      aurora: { auth: 'https://localhost:8460', rs: 'https://localhost:8462' },
      meridian: { auth: 'https://localhost:8470', rs: 'https://localhost:8472' },
    },
  },
  tpp: {
    primary: { redirectUris: ['https://localhost:8443/callback'], webhookUris: ['https://localhost:8443/webhooks'] },
    second: { redirectUris: ['https://localhost:8443/second/callback'], webhookUris: [] },
  },
}

export let enrolment: Enrolment
export let running: TrustFramework
let now: () => Date

export const setClock = (clock: () => Date): void => {
  now = clock
}

beforeAll(async () => {
  enrolment = await enrol(SETTINGS)
})
afterAll(() => rmSync(dataDir, { recursive: true }))

export const start = async (): Promise<void> => {
  now = () => new Date()
  running = await startTrustFramework({
    publicPort: 0,
    apiPort: 0,
    server: enrolment.directory.server,
    caFile: enrolment.ca.bundleFile,
    registerFile: enrolment.directory.registerFile,
    stateFile: enrolment.directory.stateFile,
    issuer: enrolment.ca.issuer,
    clock: () => now(),
  })
}

type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  readonly resumed: boolean
  readonly json: () => unknown
}
export type Sent = {
  readonly method?: string
  readonly client?: KeyFiles
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly agent?: Agent
}

export function send(url: string, { method = 'GET', client, headers = {}, body, agent }: Sent = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const tls = agent === undefined ? clientTls(enrolment.ca.rootFile, client) : {}
    const sent = request(url, { method, headers, agent: agent ?? false, ...tls }, (response) => {
      const resumed = (response.socket as TLSSocket).isSessionReused()
      text(response).then(
        (answer) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: answer,
            resumed,
            json: () => JSON.parse(answer),
          }),
        reject,
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export const form = (client: KeyFiles, fields: Record<string, string>): Sent => ({
  method: 'POST',
  client,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
})
export const askToken = (client: KeyFiles & { readonly clientId: string }, fields: Record<string, string> = {}) =>
  send(
    running.tokenUrl,
    form(client, {
      grant_type: 'client_credentials',
      scope: 'directory:software',
      client_id: client.clientId,
      ...fields,
    }),
  )
export const tokenFor = async (client: KeyFiles & { readonly clientId: string }): Promise<string> =>
  ((await askToken(client)).json() as { access_token: string }).access_token

export const get = (path: string, client: KeyFiles, token: string): Promise<Answer> =>
  send(`${running.apiUrl}${path}`, { client, headers: { authorization: `Bearer ${token}` } })

export const operator = () => ({
  apiUrl: running.apiUrl,
  caFile: enrolment.ca.bundleFile,
  client: enrolment.directory.operator,
})
export const statementsOf = (organisationId: string): string => `/organisations/${organisationId}/softwarestatements`
export const primaryAt = (): string =>
  `${statementsOf(enrolment.tpp.organisationId)}/${enrolment.tpp.primary.softwareStatementId}`
export const primaryKeys = (): string =>
  `${running.publicUrl}/${enrolment.tpp.organisationId}/${enrolment.tpp.primary.clientId}/application.jwks`
export const kidsAt = async (url: string): Promise<string[]> =>
  ((await send(url)).json() as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)

export const certificateIn = (file: string): X509Certificate => new X509Certificate(readFileSync(file))
