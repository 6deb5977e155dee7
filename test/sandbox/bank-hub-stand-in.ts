/** The hub as a bank sees it: an outside party that answers what the test tells it to and remembers what it was asked. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'

export type Asked = {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly body: string
  readonly authorization: string
  readonly contentType: string
  /** OU of the client certificate. */
  readonly caller: unknown
}
type Answer = { readonly status: number; readonly location?: string; readonly body?: unknown }

export const CONSENT_ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
export const BACK = 'https://tpp.example:9443/callback'

export function consentRecord(change: object = {}, data: object = {}): Record<string, unknown> {
  return {
    id: CONSENT_ID,
    consentType: 'cbuae-account-access-consents',
    status: 'AwaitingAuthorization',
    requestHeaders: {},
    request: {},
    tpp: {
      tppName: 'Wadi Money',
      decodedSsa: { client_name: 'Wadi Budget', redirect_uris: [BACK, 'javascript:alert(1)', 'not a uri'] },
    },
    consentBody: {
      Data: {
        ConsentId: CONSENT_ID,
        Status: 'AwaitingAuthorization',
        ExpirationDateTime: '2027-03-01T08:00:00Z',
        FromDate: '2026-01-01',
        ToDate: '2026-12-31',
        CreationDateTime: '2026-10-17T10:00:00Z',
        Permissions: ['ReadAccountsBasic', 'ReadBalances', 'ReadTransactionsDetail'],
        OpenFinanceBilling: { UserType: 'Retail', Purpose: 'BudgetingAnalysis' },
        OnBehalfOf: { TradingName: 'Corner Ledger' },
        ...data,
      },
    },
    ...change,
  }
}

export type StandIn = {
  readonly asked: Asked[]
  /** Overrides by `METHOD path`; what is not overridden succeeds. */
  readonly answers: Map<string, Answer>
  consent: Record<string, unknown>
  consents: readonly Record<string, unknown>[]
  /** Rows of any consent's audit trail. */
  trail: readonly object[]
  reset(): void
  handle(request: IncomingMessage, response: ServerResponse): void
}

export function createStandIn(): StandIn {
  const standIn: StandIn = {
    asked: [],
    answers: new Map(),
    consent: consentRecord(),
    consents: [],
    trail: [],
    reset() {
      standIn.asked.length = 0
      standIn.answers.clear()
      standIn.consent = consentRecord()
      standIn.consents = []
      standIn.trail = []
    },
    handle(request, response) {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s)
        const subject = (request.socket as TLSSocket).getPeerX509Certificate()?.toLegacyObject().subject
        standIn.asked.push({
          method: request.method ?? '',
          path,
          query,
          body: Buffer.concat(chunks).toString('utf8'),
          authorization: request.headers.authorization ?? '',
          contentType: request.headers['content-type'] ?? '',
          caller: subject?.OU,
        })
        const given =
          standIn.answers.get(`${request.method} ${path}`) ?? usual(standIn, request.method ?? '', path, query)
        response.writeHead(given.status, {
          ...(given.location === undefined ? {} : { location: given.location }),
          ...(given.body === undefined ? {} : { 'content-type': 'application/json' }),
        })
        response.end(given.body === undefined ? '' : JSON.stringify(given.body))
      })
    },
  }
  return standIn
}

function usual(standIn: StandIn, method: string, path: string, query: string): Answer {
  if (path === '/auth') {
    const interaction = { interactionId: 'interaction-1', consentIdsList: [CONSENT_ID], params: {}, claims: {} }
    return { status: 200, body: { interaction, tpp: standIn.consent['tpp'] } }
  }
  if (path.endsWith('/doConfirm'))
    return { status: 303, location: `${BACK}?code=c%2B1&state=s%20t&iss=https%3A%2F%2Fauth1` }
  if (path.endsWith('/doFail')) return { status: 303, location: `${BACK}?error=some&state=s%20t` }
  if (method === 'GET' && path.endsWith('/audit')) return { status: 200, body: { data: standIn.trail, meta: {} } }
  if (path.startsWith('/psu/') || (method === 'GET' && path === '/consents')) {
    return listed(standIn.consents, new URLSearchParams(query))
  }
  if (method === 'GET') {
    const known = [standIn.consent, ...standIn.consents].find(({ id }) => path === `/consents/${String(id)}`)
    return known === undefined
      ? { status: 400, body: { errorCode: 'Consent.Invalid' } }
      : { status: 200, body: { data: known, meta: {} } }
  }
  return { status: 204 }
}

/** lfi-api 2.2; of whom a consent is, and when it changed, this hub does not look at. */
function listed(consents: StandIn['consents'], query: URLSearchParams): Answer {
  const [page, pageSize] = [Number(query.get('page') ?? 1), Number(query.get('pageSize') ?? 25)]
  const found = ['status', 'consentType'].reduce(
    (all, name) => (query.has(name) ? all.filter((each) => each[name] === query.get(name)) : all),
    consents,
  )
  const meta = { totalPages: Math.ceil(found.length / pageSize), totalRecords: found.length }
  return { status: 200, body: { data: found.slice((page - 1) * pageSize, page * pageSize), meta } }
}
