/** What the LFI may call at the consent manager (lfi-api 2.2), by its published names, and how a path finds its row. */
import { HubError } from '../errors.ts'
import { isStorableText } from '../storable.ts'

export type LogOperationId =
  | 'getAuditConsentsByConsentIdw'
  | 'patchPymentlog'
  | 'UpdateAccountOpeningLog'
  | 'UpdateFxQuoteLog'
  | 'UpdateInsuranceQuoteLog'

export type OperationId =
  | LogOperationId
  | 'getAllConsents'
  | 'getConsentsByConsentId'
  | 'patchConsent'
  | 'getAuditConsentsByConsentId'
  | 'revokeConsentsByConsentId'
  | 'getConsents'
  | 'getAccountIdConsents'
  | 'getConsentsInConsentGroup'
  | 'revokeConsentsInConsentGroup'
  | 'helloMtls'
  | 'GetAuditReceipts'

export type Route = { readonly operationId: OperationId; readonly method: string; readonly path: string }

// biome-ignore format: a table reads by its columns
export const ROUTES: readonly Route[] = [
  { method: 'GET',   path: '/accounts/{accountId}/consents',                                operationId: 'getAccountIdConsents' },
  { method: 'GET',   path: '/audit/receipts/{interactionId}',                               operationId: 'GetAuditReceipts' },
  { method: 'GET',   path: '/consent-groups/{consentGroupId}/consents',                     operationId: 'getConsentsInConsentGroup' },
  { method: 'POST',  path: '/consent-groups/{consentGroupId}/consents/action/revoke',       operationId: 'revokeConsentsInConsentGroup' },
  { method: 'GET',   path: '/consents',                                                     operationId: 'getAllConsents' },
  { method: 'GET',   path: '/consents/{consentId}',                                         operationId: 'getConsentsByConsentId' },
  { method: 'PATCH', path: '/consents/{consentId}',                                         operationId: 'patchConsent' },
  { method: 'POST',  path: '/consents/{consentId}/action/revoke',                           operationId: 'revokeConsentsByConsentId' },
  { method: 'GET',   path: '/consents/{consentId}/audit',                                   operationId: 'getAuditConsentsByConsentId' },
  { method: 'PATCH', path: '/account-opening-log/{logId}',                                  operationId: 'UpdateAccountOpeningLog' },
  { method: 'PATCH', path: '/fx-quote-log/{logId}',                                         operationId: 'UpdateFxQuoteLog' },
  { method: 'PATCH', path: '/insurance-quote-log/{logId}',                                  operationId: 'UpdateInsuranceQuoteLog' },
  { method: 'GET',   path: '/payment-log',                                                  operationId: 'getAuditConsentsByConsentIdw' },
  { method: 'PATCH', path: '/payment-log/{id}',                                             operationId: 'patchPymentlog' },
  { method: 'GET',   path: '/hello-mtls',                                                   operationId: 'helloMtls' },
  { method: 'GET',   path: '/psu/{userId}/consents',                                        operationId: 'getConsents' },
]

export type Matched = { readonly route: Route; readonly params: ReadonlyMap<string, string> }

/** @throws HubError NotFound, MethodNotAllowed, Resource.InvalidFormat */
export function match(method: string, path: string): Matched {
  const found = ROUTES.flatMap((route) => {
    const params = paramsOf(route.path, path)
    return params === null ? [] : [{ route, params }]
  })
  if (found.length === 0) throw new HubError('NotFound')
  const served = found.find(({ route }) => route.method === method)
  if (served === undefined) throw new HubError('MethodNotAllowed', { allow: found.map(({ route }) => route.method) })
  return { route: served.route, params: new Map([...served.params].map(([name, raw]) => [name, decode(name, raw)])) }
}

function paramsOf(template: string, path: string): ReadonlyMap<string, string> | null {
  const wanted = template.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return null
  const params = new Map<string, string>()
  for (const [at, segment] of wanted.entries()) {
    const value = given[at] ?? ''
    if (!segment.startsWith('{')) {
      if (segment !== value) return null
    } else if (value === '') return null
    else params.set(segment.slice(1, -1), value)
  }
  return params
}

function decode(name: string, raw: string): string {
  const malformed = (cause?: unknown) =>
    new HubError('Resource.InvalidFormat', { path: name, reason: `${name} is not percent-encoded text`, cause })
  let text: string
  try {
    text = decodeURIComponent(raw)
  } catch (cause) {
    throw malformed(cause)
  }
  if (!isStorableText(text)) throw malformed()
  return text
}
