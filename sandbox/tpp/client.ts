/** A TPP's side of the contract, from finding a bank to reading from it: what any real TPP would have to write. */
import {
  accountAccess,
  type ConsentAsk,
  clientCredentials,
  type Pending,
  type Pushed,
  pushConsent,
  redeemCallback,
  refresh,
  subscriptionOf,
  type Tokens,
} from './authorization.ts'
import { CONSENT_KINDS, type ConsentKind } from './consent-kinds.ts'
import { createDirectory, type Lfi } from './directory.ts'
import { LfiFault } from './errors.ts'
import { type InsuranceAsk, insurance } from './insurance.ts'
import { createOwnConsents } from './own-consents.ts'
import { createPayments, type FileOrder, type PaymentConsentAsk, type PaymentOrder } from './payments.ts'
import { discover, loadSigningKey, type Server } from './profile.ts'
import { createResources, type ResourceAnswer, type ResourceRequest } from './resources.ts'
import { createServices, type ServiceAsk } from './services.ts'
import type { TppClientSettings } from './settings.ts'
import { createAnswerVerifier, type SignedAnswer } from './signed-answer.ts'
import { createTransport } from './transport.ts'

export type TppClient = {
  /** The LFIs that the trust framework lists with account information. */
  lfis(): Promise<readonly Lfi[]>
  /** Discovery, checked against the profile; remembered for 15 minutes. */
  connect(lfi: Lfi): Promise<LfiConnection>
  close(): Promise<void>
}

export type LfiConnection = {
  readonly lfi: Lfi
  readonly authorizationEndpoint: string
  /** `POST registration_endpoint` with nothing but the certificate (tpp-api 9.1). */
  register(): Promise<ResourceStatus>
  requestConsent(ask: ConsentAsk): Promise<Pushed>
  requestPayment(ask: PaymentConsentAsk): Promise<Pushed>
  requestInsurance(ask: InsuranceAsk): Promise<Pushed>
  redeem(query: URLSearchParams, pending: Pending): Promise<Tokens>
  refresh(tokens: Tokens): Promise<Tokens>
  clientCredentials(scope?: string): Promise<Tokens>
  /** `path` is below the account-information base, e.g. `/accounts`. */
  read(path: string, request: ResourceRequest): Promise<ResourceAnswer>
  /** Without a consent: open data, payees, quotes, openings. */
  service(ask: ServiceAsk): Promise<ResourceAnswer>
  /** `Links.Next` as a path of this same LFI, or null at the end. A link that leads elsewhere is refused. */
  nextPath(body: unknown): string | null
  consent(consentId: string, options?: ConsentReadOptions): Promise<ResourceAnswer>
  consents(baseConsentId: string): Promise<ResourceAnswer>
  /** What a signed event of this LFI says; throws for one that is not its own. */
  event(jws: string): Promise<SignedAnswer>
  revoke(consentId: string, by?: 'TPP' | 'TPP.InitiatedByUser', kind?: ConsentKind): Promise<ResourceAnswer>
  /** Under the token that a consent was redeemed for. */
  pay(order: PaymentOrder, tokens: Tokens): Promise<ResourceAnswer>
  payFile(order: FileOrder, tokens: Tokens): Promise<ResourceAnswer>
  /** Where the payment of a key is, as a path for `payment`. */
  findPayment(idempotencyKey: string): Promise<string>
  payment(path: string): Promise<ResourceAnswer>
  handOver(consentId: string, file: Buffer): Promise<number>
  report(paymentId: string): Promise<string>
}
export type ResourceStatus = { readonly status: number; readonly interactionId: string | null }
/** Of accounts where no kind is named. */
export type ConsentReadOptions = { readonly signed?: boolean; readonly kind?: ConsentKind }

const CONNECTION_MS = 15 * 60 * 1000
/** A client-credentials token is used again until this close to its end. */
const TOKEN_MARGIN_MS = 30_000

export async function createTppClient(settings: TppClientSettings): Promise<TppClient> {
  const signing = await loadSigningKey(settings.application)
  const transport = createTransport(settings)
  const directory = createDirectory(transport, settings.trustFrameworkUrl)
  const connections = new Map<string, { readonly connection: LfiConnection; readonly until: number }>()
  return {
    lfis: () => directory.lfis(),
    connect: async (lfi) => {
      const known = connections.get(lfi.issuer)
      if (known !== undefined && known.until > Date.now()) return known.connection
      const server = await discover(lfi, { settings, transport, signing })
      const connection = connectionTo(lfi, server, { settings, transport, signing })
      connections.set(lfi.issuer, { connection, until: Date.now() + CONNECTION_MS })
      return connection
    },
    close: () => transport.close(),
  }
}

type ConnectionDeps = {
  readonly settings: TppClientSettings
  readonly transport: ReturnType<typeof createTransport>
  readonly signing: Awaited<ReturnType<typeof loadSigningKey>>
}

function connectionTo(lfi: Lfi, server: Server, deps: ConnectionDeps): LfiConnection {
  const { application } = deps.settings
  const verify = createAnswerVerifier(server, application.clientId, deps.transport)
  const resources = createResources(deps.transport, verify)
  const at = (path: string): string => `${lfi.accountInformationUrl}${path}`
  const own = new Map<string, Tokens>()
  const ownToken = async (scope: string): Promise<string> => {
    const known = own.get(scope)
    if (known !== undefined && known.expiresAt - TOKEN_MARGIN_MS >= Date.now()) return known.accessToken
    const fresh = await clientCredentials(server, scope)
    own.set(scope, fresh)
    return fresh.accessToken
  }
  const services = createServices({
    bases: lfi.services ?? new Map(),
    resources,
    signing: deps.signing,
    clientId: application.clientId,
    issuer: server.issuer,
    token: ownToken,
  })
  const payments = createPayments({
    clientId: application.clientId,
    issuer: lfi.issuer,
    origin: new URL(lfi.accountInformationUrl).origin,
    signing: deps.signing,
    transport: deps.transport,
    resources,
    keysUrl: `${deps.settings.trustFrameworkUrl}/${lfi.organisationId}/application.jwks`,
  })
  const consents = createOwnConsents({
    origin: new URL(lfi.accountInformationUrl).origin,
    resources,
    signing: deps.signing,
    clientId: application.clientId,
    issuer: server.issuer,
    token: ownToken,
  })
  return {
    lfi,
    authorizationEndpoint: server.authorizationEndpoint,
    register: () => register(deps, server.registrationEndpoint),
    requestConsent: (ask) => pushConsent(server, deps.signing, application.redirectUri, accountAccess(ask)),
    requestPayment: (ask) =>
      pushConsent(server, deps.signing, application.redirectUri, {
        type: CONSENT_KINDS.payments.type,
        scope: CONSENT_KINDS.payments.scope,
        consent: (consentId) => payments.consentClaims(consentId, ask),
        ...subscriptionOf(ask),
      }),
    requestInsurance: (ask) => pushConsent(server, deps.signing, application.redirectUri, insurance(ask)),
    redeem: (query, pending) => redeemCallback(server, application.redirectUri, query, pending),
    refresh: (tokens) => refresh(server, tokens),
    clientCredentials: (scope = 'openid accounts') => clientCredentials(server, scope),
    read: (path, request) => resources.call(at(path), request),
    service: (ask) => services.ask(ask),
    nextPath: (body) => nextPath(body, lfi.accountInformationUrl),
    consent: (consentId, { kind = 'accounts', ...options } = {}) => consents.show(kind, consentId, options),
    consents: (baseConsentId) => consents.group(baseConsentId),
    pay: (order, tokens) => payments.pay(order, tokens.accessToken),
    payFile: (order, tokens) => payments.payFile(order, tokens.accessToken),
    findPayment: async (idempotencyKey) => payments.find(idempotencyKey, await ownToken('openid payments')),
    payment: async (path) => payments.show(path, await ownToken('openid payments')),
    handOver: async (consentId, file) => payments.handOver(consentId, file, await ownToken('openid payments')),
    report: async (paymentId) => payments.report(paymentId, await ownToken('openid payments')),
    event: verify,
    revoke: (consentId, by = 'TPP.InitiatedByUser', kind = 'accounts') => consents.end(kind, consentId, by),
  }
}

async function register(deps: ConnectionDeps, url: string): Promise<ResourceStatus> {
  const response = await deps.transport.fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: '{}',
  })
  const interactionId = response.headers.get('x-fapi-interaction-id')
  const text = await response.text()
  if (response.status === 204) return { status: 204, interactionId }
  throw new LfiFault('resource', `the hub answered ${response.status} to the registration: ${text.slice(0, 300)}`, {
    status: response.status,
    interactionId,
  })
}

function nextPath(body: unknown, base: string): string | null {
  const next = (body as { readonly Links?: { readonly Next?: unknown } } | null)?.Links?.Next
  if (typeof next !== 'string' || !URL.canParse(next)) return null
  // The access token goes where the link points, so the link must stay inside the operations of this LFI.
  const url = new URL(next).href
  if (!url.startsWith(`${base}/`)) {
    throw new LfiFault('untrusted', 'the link to the next page leads away from the bank')
  }
  return url.slice(base.length)
}
