/** One entry of every kind, every member filled. */
import { AUDIT_KINDS, type AuditEntry, type AuditKind } from '../../../src/audit/entry.ts'
import { toInstant } from '../../../src/clock.ts'
import type { ClientId, ConsentId, CorrelationId, OrganisationId, TenantId } from '../../../src/ids.ts'

const interactionId = '8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60' as CorrelationId
const clientId = '11111111-2222-4333-8444-555555555555' as ClientId
const consentId = '0d8f1c7e-6b5a-4c3d-9e2f-1a0b9c8d7e6f' as ConsentId
const organisationId = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' as OrganisationId

const parent = '1b4e28ba-2fa1-41d2-883f-0016d3cca427' as CorrelationId

export const aurora = 'aurora' as TenantId

const common = { at: toInstant('2026-03-01T08:00:00.125Z'), tenantId: aurora, interactionId }

export const ENTRIES: { readonly [K in AuditKind]: Extract<AuditEntry, { kind: K }> } = {
  'tpp-call': {
    ...common,
    kind: 'tpp-call',
    clientId,
    organisationId,
    surface: 'rs',
    operationId: 'GetAccounts',
    method: 'GET',
    route: '/accounts',
    status: 200,
    errorCode: null,
    consentId,
    attended: true,
    hubMs: 4.1239,
    lfiMs: 20,
    lfiStatus: 200,
    records: 3,
    softwareStatementId: clientId,
    apiSet: 'BankDataSharing',
    hubInMs: 3.0004,
    hubOutMs: 1.1234,
    lfiOutcome: 'answered',
    paymentType: 'PushMerchant',
    merchantId: 'm-1',
    resource: 'accounts',
    rule: 'token.scope',
    expected: 'a scope',
    seen: 'none',
    path: 'authorization',
    responseDigest: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    requestDigest: 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=',
    parentInteractionId: null,
  },
  'lfi-call': {
    ...common,
    kind: 'lfi-call',
    clientId,
    consentId,
    operationId: 'GetAccounts',
    method: 'GET',
    route: '/accounts',
    status: null,
    outcome: 'timeout',
    lfiMs: 5000,
    requestDigest: null,
    parentInteractionId: parent,
  },
  'webhook-call': {
    ...common,
    kind: 'webhook-call',
    clientId,
    consentId,
    resource: 'consent',
    eventId: '5f0c3a52-7f0e-4b7e-9d4c-0a1b2c3d4e5f',
    attempt: 2,
    status: 202,
    outcome: 'answered',
    requestDigest: 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=',
    parentInteractionId: parent,
  },
  'lfi-request': {
    ...common,
    kind: 'lfi-request',
    surface: 'cm',
    operationId: 'PatchConsent',
    method: 'PATCH',
    route: '/consents/{consentId}',
    status: 204,
    errorCode: null,
    consentId,
    callerClientId: 'aurora-core',
    hubMs: 2.5,
    resource: 'consents',
    rule: null,
    expected: null,
    seen: null,
    path: null,
    requestDigest: 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=',
    parentInteractionId: null,
  },
  'authorization-step': {
    ...common,
    kind: 'authorization-step',
    step: 'par',
    outcome: 'refused',
    error: 'invalid_request',
    clientId,
    consentId: null,
  },
  'consent-changed': {
    ...common,
    kind: 'consent-changed',
    consentId,
    change: 'authorize',
    from: 'AwaitingAuthorization',
    to: 'Authorized',
    revision: 2,
    by: 'lfi',
    callerOrganisationId: organisationId,
    callerClientId: null,
    changed: ['accountIds', 'psuIdentifiers'],
  },
  'resource-changed': {
    ...common,
    kind: 'resource-changed',
    resource: 'payment',
    logId: '17',
    consentId,
    clientId,
    change: 'patched',
    from: 'Pending',
    to: 'Rejected',
    revision: 3,
    by: 'lfi',
    callerOrganisationId: organisationId,
    callerClientId: null,
    changed: ['paymentResponse.status'],
  },
  'participant-changed': {
    ...common,
    kind: 'participant-changed',
    organisationId,
    softwareStatementId: 'statement-1',
    clientId,
    change: 'registered',
    by: 'tpp',
  },
  'consent-viewed': { ...common, kind: 'consent-viewed', actor: 'operator@aurora', act: 'consent read', consentId },
  'admin-act': { ...common, kind: 'admin-act', actor: 'operator@aurora', act: 'client blocked', target: clientId },
  system: { ...common, kind: 'system', interactionId: null, event: 'started', detail: 'line one\nline two “é”' },
  'log-key': {
    ...common,
    kind: 'log-key',
    interactionId: null,
    publicKey: 'falaj/aurora+01234567+AQ==',
    previous: null,
  },
  hour: {
    ...common,
    kind: 'hour',
    interactionId: null,
    hour: '2026-03-01T08:00:00.000Z',
    missed: 0,
    clockSource: 'ntp',
    clockStepMs: -250,
    databaseOffsetMs: 1.5,
  },
  erased: {
    ...common,
    kind: 'erased',
    interactionId: null,
    openings: ['7:consentId'],
    reason: 'asked for',
    actor: 'dpo',
  },
}

export const allEntries = (): readonly AuditEntry[] => AUDIT_KINDS.map((kind) => ENTRIES[kind])

/** Those that rooms hand in; the others are the sealer's, or say what was done to the log. */
export const acceptedEntries = (): readonly AuditEntry[] =>
  allEntries().filter(({ kind }) => kind !== 'log-key' && kind !== 'hour' && kind !== 'erased')
