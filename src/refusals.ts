/**
 * Why the gateway refuses: one row per rule, with the clause of the contract that makes it one and what it expects of
 * the caller. The rule stands in the audit entry of the call, so that a refusal can be explained later to whom it
 * concerns. Nothing here is ever a value that somebody sent.
 */
export type Rule = { readonly clause: string; readonly expected: string }

export const RULES = {
  'route.known': { clause: 'tpp-api 7.3', expected: 'a path that is documented for this version' },
  'route.method': { clause: 'tpp-api 7.3', expected: 'a method that is documented for the path (see Allow)' },
  'accept.offered': { clause: 'tpp-api 5.0', expected: 'an Accept header that takes a media type of the operation' },
  'content-type.listed': {
    clause: 'tpp-api 5.0',
    expected: 'a body in a media type of the operation, in UTF-8 and without content encoding',
  },
  'rate.limit': { clause: 'tpp-api 7.3', expected: 'no more calls per second than the LFI allows each client' },
  'token.in-header': { clause: 'FAPI 2.0 SP 5.3.4', expected: 'one access token, in the Authorization header only' },
  'token.form': { clause: 'RFC 9068 2', expected: 'an access token of this authorization server, as it was issued' },
  'token.issuer': { clause: 'RFC 9068 4', expected: 'an access token signed by this authorization server' },
  'token.audience': { clause: 'RFC 9068 4', expected: 'an access token for this resource server' },
  'token.lifetime': { clause: 'tpp-api 3.3', expected: 'an access token within its lifetime' },
  'token.revoked': { clause: 'RFC 7009 2', expected: 'an access token that was not revoked' },
  'token.binding': { clause: 'RFC 8705 3', expected: 'the client certificate or key that the token was issued over' },
  'token.grant': { clause: 'tpp-api 5.0', expected: 'an access token of the grant that the operation is for' },
  'token.scope': { clause: 'tpp-api 5.0', expected: 'an access token with the scope of the operation' },
  'token.organisation': { clause: 'tpp-api 4.9', expected: 'an access token of the organisation of the client' },
  'token.consent': { clause: 'tpp-api 4.9', expected: 'an access token of the present grant of the consent' },
  'certificate.shown': { clause: 'tpp-api 9.3', expected: 'a client certificate in the handshake' },
  'certificate.trusted': { clause: 'tpp-api 9.3', expected: 'a client certificate of the trust framework' },
  'certificate.lifetime': { clause: 'tpp-api 9.3', expected: 'a client certificate within its period of validity' },
  'certificate.own': { clause: 'tpp-api 9.3', expected: 'a client certificate of the client of the access token' },
  'certificate.listed': { clause: 'tpp-api 9.3', expected: 'a client certificate that the directory lists as active' },
  'directory.vouches': { clause: 'tpp-api 9.1', expected: 'an application that the directory lists with a role' },
  'client.active': { clause: 'lfi-api 7.3', expected: 'TPP, software statement and client active at this LFI' },
  'proof.valid': { clause: 'RFC 9449 7', expected: 'a DPoP proof made for this request with the key of the token' },
  'headers.interaction-id': { clause: 'tpp-api 6', expected: 'x-fapi-interaction-id absent or a UUID' },
  'resource.form': { clause: 'tpp-api 5.0', expected: 'path, query and headers in the documented form' },
  'query.once': { clause: 'tpp-api 5.0', expected: 'each query parameter at most once' },
  'query.page': { clause: 'lfi-api 3.4', expected: 'a page number as it stands in the links of an answer' },
  'query.period': { clause: 'lfi-api 3.4', expected: 'a period that begins before it ends, and has ended' },
  'query.reporting-period': {
    clause: 'tpp-api 9.2',
    expected: 'a first and a last day in this order, not too far apart',
  },
  'body.size': { clause: 'tpp-api 5.1', expected: 'a body within the size limit of this LFI' },
  'body.json': { clause: 'tpp-api 7.3', expected: 'a body that is one JSON value in UTF-8' },
  'body.form': { clause: 'tpp-api 7.3', expected: 'a body in the documented form' },
  'message.form': { clause: 'tpp-api 5.1', expected: 'a signed message in the documented form' },
  'message.claims': { clause: 'tpp-api 5.1', expected: 'the claims of a signed message, each in its limits' },
  'consent.known': { clause: 'tpp-api 4.4', expected: 'a consent of this client and of the family of the path' },
  'consent.usable': { clause: 'tpp-api 4.9', expected: 'a consent in the state Authorized, before it expires' },
  'consent.type': { clause: 'tpp-api 4.9', expected: 'a consent of the type and version of the path' },
  'consent.move': { clause: 'tpp-api 4.2', expected: 'a change that the state of the consent allows' },
  'consent.permission': { clause: 'tpp-api 4.6', expected: 'a consent with a permission that opens the operation' },
  'consent.account': { clause: 'tpp-api 4.9', expected: 'an account that the user has selected' },
  'consent.period': { clause: 'tpp-api 4.9', expected: 'a period that meets the one of the consent' },
  'payee.iban': {
    clause: 'tpp-api 5.4',
    expected: 'an account number of the United Arab Emirates with right check digits',
  },
  'payee.bank': { clause: 'tpp-api 5.4', expected: 'an account number of a bank that is known here' },
  'request.own': { clause: 'tpp-api 5.6', expected: 'a quote or opening that this client began' },
  'request.accepted': { clause: 'tpp-api 5.6', expected: 'a quote that was accepted' },
  'receipt.own': {
    clause: 'RFC 6962 2.1.1',
    expected: 'the interaction id of a call of this client',
  },
  'payment.first-answer': {
    clause: 'tpp-api 5.3',
    expected: 'another idempotency key: under this one the first answer is given again',
  },
  'refusal.own': {
    clause: 'tpp-api 7.3',
    expected: 'the interaction id of a call of this organisation that the hub refused',
  },
  'patch.revoked-by': { clause: 'tpp-api 4.4', expected: 'RevokedBy TPP or TPP.InitiatedByUser' },
  'patch.webhook': { clause: 'tpp-api 8.2', expected: 'an https address that the directory lists for the client' },
  'key.given': { clause: 'tpp-api 6', expected: 'an x-idempotency-key of 1 to 40 characters without white space' },
  'key.own': { clause: 'tpp-api 5.3', expected: 'an x-idempotency-key that was not used under another consent' },
  'key.answered': { clause: 'tpp-api 5.3', expected: 'a repeated request after the first one has its answer' },
  'key.known': { clause: 'tpp-api 5.3', expected: 'the x-idempotency-key of a payment that was made' },
  'payment.consent': { clause: 'tpp-api 5.3', expected: 'a payment that names the consent of the access token' },
  'payment.encrypted': { clause: 'tpp-api 2.7.3', expected: 'personal data as a JWE for the LFI' },
  'payment.purpose': { clause: 'tpp-api 5.3', expected: 'a purpose on the list of the payment scheme' },
  'payment.agreed': { clause: 'tpp-api 5.3', expected: 'purpose and references of the consent, each or none' },
  'payment.limits': { clause: 'tpp-api 5.3', expected: 'a payment within what the user agreed to' },
  'payment.file': { clause: 'lfi-api 3.9.3', expected: 'the file of the consent, by its SHA-256' },
  'payment.known': { clause: 'tpp-api 5.3', expected: 'the id of a payment of this client' },
} as const satisfies Readonly<Record<string, Rule>>

export type RuleId = keyof typeof RULES

export const ruleOf = (id: string): Rule | null => (Object.hasOwn(RULES, id) ? RULES[id as RuleId] : null)

/** Where no rule of the table was named: by the code that was answered. */
export function clauseOf(door: string, rule: string | null, errorCode: string | null): string {
  const named = rule === null ? null : ruleOf(rule)
  if (named !== null) return named.clause
  if (door === 'as') return errorCode?.startsWith('invalid_grant') === true ? 'tpp-api 3.4' : 'tpp-api 2.10'
  if (door === 'hh') return 'lfi-api 1.3'
  return door === 'cm' ? 'lfi-api 2.1' : 'tpp-api 7.2'
}
