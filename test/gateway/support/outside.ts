/** The outside parties: an LFI with Ozone Connect behind mutual TLS, and the trust framework's directory. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Authority, Certificate } from './pki.ts'

export type Asked = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: string
  /** Resolves once the hub has ended the exchange from its side. */
  readonly closed: Promise<void>
}
export type Answering = (asked: Asked, response: ServerResponse) => void
export type StandInLfi = {
  readonly url: string
  readonly asked: Asked[]
  /** For the next requests, until changed again. */
  answer: Answering
  close(): Promise<void>
}

export const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answering =>
  (_asked, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

export async function startLfi(server: Certificate, hubAuthority: Authority): Promise<StandInLfi> {
  const asked: Asked[] = []
  const lfi: { answer: Answering } = { answer: json(500, {}) }
  const listening = createServer(
    { cert: server.certificate, key: server.key, ca: hubAuthority.certificate, requestCert: true },
    (request, response) => {
      const closed = new Promise<void>((done) => {
        response.once('close', () => {
          if (!response.writableFinished) done()
        })
      })
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const one: Asked = {
          method: request.method ?? '',
          url: request.url ?? '',
          headers: request.headers,
          rawHeaders: request.rawHeaders,
          body: Buffer.concat(chunks).toString(),
          closed,
        }
        asked.push(one)
        lfi.answer(one, response)
      })
    },
  )
  const port = await listen(listening)
  return Object.assign(lfi, { url: `https://localhost:${port}/oc`, asked, close: () => shut(listening) })
}

export type DirectoryEntry = {
  readonly organisationId: string
  readonly organisation: string
  readonly clientId: string
  readonly softwareStatementId: string
  readonly webhookUris: readonly string[]
  readonly certificates: readonly { readonly thumbprint: string; readonly status: 'Active' | 'Inactive' }[]
  readonly jwks: { keys: unknown[] }
  /** Of the application; BDSP where nothing else is said. */
  readonly roles?: readonly string[]
}

/** Answers the hub's questions about participants; who may ask is not its test. */
export async function startDirectory(server: Certificate, entries: readonly DirectoryEntry[]) {
  const answers = new Map<string, () => unknown>()
  /** By organisation or software statement; active while nothing else is said. */
  const statuses = new Map<string, string>()
  for (const entry of entries) {
    const at = `/organisations/${entry.organisationId}`
    const statement = `${at}/softwarestatements/${entry.softwareStatementId}`
    const { organisationId: OrganisationId } = entry
    answers.set(at, () => ({
      OrganisationId,
      OrganisationName: entry.organisation,
      Status: statuses.get(OrganisationId) ?? 'Active',
    }))
    answers.set(`${at}/softwarestatements`, () =>
      entries
        .filter((each) => each.organisationId === OrganisationId)
        .map((each) => ({
          SoftwareStatementId: each.softwareStatementId,
          OrganisationId,
          ClientId: each.clientId,
          ClientName: 'Test application',
          Status: statuses.get(each.softwareStatementId) ?? 'Active',
          RedirectUri: ['https://tpp.example/callback'],
          ApiWebhookUri: each.webhookUris,
        })),
    )
    answers.set(`${statement}/certificates`, () =>
      entry.certificates.map(({ thumbprint, status }) => ({ kid: thumbprint, Status: status })),
    )
    answers.set(`${statement}/roles`, () =>
      (entry.roles ?? ['BDSP']).map((role) => ({ AuthorisationDomainRoleName: role, Status: 'Active' })),
    )
    answers.set(`/${OrganisationId}/${entry.clientId}/application.jwks`, () => entry.jwks)
  }
  answers.set('/token', () => ({ access_token: 'directory', expires_in: 600 }))
  const listening = createServer({ cert: server.certificate, key: server.key }, (request, response) => {
    const answer = answers.get(request.url ?? '')
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(answer === undefined ? '{}' : JSON.stringify(answer()))
  })
  const port = await listen(listening)
  return { url: `https://localhost:${port}`, statuses, close: () => shut(listening) }
}

function listen(server: Server): Promise<number> {
  return new Promise((ready) => {
    server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port))
  })
}

async function shut(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()))
  server.closeAllConnections()
  await closed
}
