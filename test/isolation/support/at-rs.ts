/**
 * The gateway: every operation that is served, by what it follows. A row of routes.ts is tried as soon as it is there; one
 * that follows something new does not compile without a line here.
 */
import { ROUTES, type Route } from '../../../src/gateway/routes.ts'
import { servedRoutes, VERSIONS } from '../../../src/gateway/versions.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'
import { JWE } from '../../gateway/support/payments.ts'
import type { Call } from '../../gateway/support/tpp.ts'
import { jwt, nowSeconds } from '../../profiles/support/keys.ts'
import type { Aim } from './aim.ts'
import { type Attempt, certificateOf, JSON_TYPE, type NamesNothing, NOTHING, type Stage } from './attempt.ts'
import type { Bearer } from './tokens.ts'

const CONSENTS = {
  'urn:openfinanceuae:account-access-consent:v2.1': 'consentId',
  'urn:openfinanceuae:service-initiation-consent:v2.1': 'paymentConsentId',
  'urn:openfinanceuae:insurance-consent:v2.1': 'insuranceConsentId',
} as const
const consentOf = (route: Route): keyof Aim =>
  CONSENTS[('rarType' in route ? route.rarType : '') as keyof typeof CONSENTS]
const REQUESTS = {
  'fx-quote': 'fxQuoteId',
  'account-opening': 'openingId',
  'insurance-quote': 'insuranceQuoteId',
} as const
const isFile = (route: Route): boolean => 'paymentType' in route && route.paymentType === 'cbuae-file-payment'
const payment = (route: Route): keyof Aim => (isFile(route) ? 'filePaymentId' : 'paymentId')
const absentOf = (route: Route): number => ('absent' in route && route.absent === 'NotFound' ? 404 : 400)
const REVOCATION = { Data: { Status: 'Revoked' } }

type Try = {
  /** What stands in the path, or else for the one query parameter. */
  readonly id: keyof Aim
  readonly query?: string
  readonly absent: number
  /** Whose token is shown; a client's own where nothing else is said. */
  readonly bearer?: keyof Bearer
  readonly headers?: (aim: Aim) => Readonly<Record<string, string>>
  /** Signed where the operation takes nothing else. */
  readonly message?: (aim: Aim) => object
}
const key = ({ idempotencyKey }: Aim) => ({ 'x-idempotency-key': idempotencyKey })
/** A payment of its own, that names the consent of the victim. */
const pays = (route: Route): Try => ({
  id: consentOf(route),
  absent: 400,
  bearer: isFile(route) ? 'file' : 'payments',
  headers: () => ({ 'x-idempotency-key': crypto.randomUUID() }),
  message: ({ paymentConsentId }) => ({
    Data: {
      ConsentId: paymentConsentId,
      ...(isFile(route) ? {} : { Instruction: { Amount: { Amount: '100.00', Currency: 'AED' } } }),
      PersonalIdentifiableInformation: JWE,
      PaymentPurposeCode: 'ACM',
      OpenFinanceBilling: isFile(route) ? { Type: 'Collection', NumberOfTransactions: 2 } : { Type: 'PushP2P' },
    },
  }),
})
const request = (route: Route): Try => ({
  id: REQUESTS[('kind' in route && route.kind) || 'fx-quote'],
  absent: 404,
})

const TRIED: Readonly<Record<Route['follows'], (route: Route) => Try | NamesNothing>> = {
  'show-consent': (route) => ({ id: consentOf(route), absent: absentOf(route) }),
  'change-consent': (route) => ({ id: consentOf(route), absent: absentOf(route), message: () => REVOCATION }),
  'list-consents': (route) => ({
    id: consentOf(route),
    ...(route.follows === 'list-consents' ? { query: route.base } : {}),
    absent: 200,
  }),
  'show-refund': (route) => ({ id: consentOf(route), absent: absentOf(route) }),
  'hand-over-file': (route) => ({
    id: 'fileConsentId',
    absent: absentOf(route),
    headers: () => ({ 'x-idempotency-key': crypto.randomUUID(), 'content-type': 'text/csv' }),
  }),
  // Without an account in the path it is the token alone that says whose data are read.
  'read-resource': ({ path }) => (path.includes('{') ? { id: 'accountId', absent: 403, bearer: 'accounts' } : NOTHING),
  'make-payment': pays,
  'find-payment': (route) => ({ id: payment(route), absent: 400, headers: key }),
  'show-payment': (route) => ({ id: payment(route), absent: 404 }),
  'show-report': (route) => ({ id: payment(route), absent: 404 }),
  'show-request': request,
  'move-request': request,
  'change-subscription': request,
  'show-receipts': () => ({ id: 'callId', absent: 404 }),
  'explain-refusal': () => ({ id: 'refusalId', absent: 404 }),
  'begin-request': () => NOTHING,
  'ask-service': () => NOTHING,
  'confirm-payee': () => NOTHING,
  'discover-payee': () => NOTHING,
  'tpp-reports': () => NOTHING,
  'list-outages': () => NOTHING,
  register: () => NOTHING,
}

const registry = loadSchemas()

export const AT_RS: readonly Attempt[] = servedRoutes(ROUTES, VERSIONS, registry).flatMap((route) => {
  const tried = TRIED[route.follows](route)
  if ('names' in tried) return []
  const template = registry.basePath(route.document) + route.path
  return (['other TPP', 'same TPP, other LFI'] as const).map((who): Attempt => {
    const tenant = who === 'other TPP' ? 'aurora' : 'meridian'
    return {
      tenant,
      door: 'rs',
      who,
      what: `${route.method} ${template}`,
      status: tried.absent,
      ask: async (aim, stage) => {
        const path = template.replace(/\{\w+\}/, aim[tried.id])
        const call = callOf(route, tried, aim, stage, who)
        return stage.banks.call[tenant]('rs', {
          ...call,
          path: tried.query === undefined ? path : `${path}?${tried.query}=${aim[tried.id]}`,
          method: route.method,
          certificate: certificateOf(who, stage),
        })
      },
    }
  })
})

function callOf(
  route: Route,
  { bearer = 'client', headers, message }: Try,
  aim: Aim,
  { banks, tokens }: Stage,
  who: 'other TPP' | 'same TPP, other LFI',
): Pick<Call, 'headers' | 'body'> {
  const own = { authorization: `Bearer ${tokens[who][bearer]}`, ...headers?.(aim) }
  if (message === undefined) return { headers: own }
  const isSigned = 'signedOnly' in route && route.signedOnly === true
  if (!isSigned) return { headers: { ...own, ...JSON_TYPE }, body: JSON.stringify(message(aim)) }
  const { otherUae, uae } = banks.world.parties
  const [by, aud] = who === 'other TPP' ? [otherUae, banks.issuers.aurora] : [uae, banks.issuers.meridian]
  const at = nowSeconds()
  const times = { iat: at, nbf: at, exp: at + 60 }
  const claims = { iss: by.clientId, aud, ...times, jti: crypto.randomUUID(), message: message(aim) }
  return {
    headers: { ...own, 'content-type': 'application/jwt' },
    body: jwt({ alg: by.signing.alg, kid: by.signing.kid }, claims, by.signing.privateKey),
  }
}
