import { describe, expect, test } from 'vitest'
import { AUDIT_KINDS, type AuditEntry, decode, encode } from '../../../src/audit/entry.ts'
import { allEntries, ENTRIES } from './entries.ts'

/**
 * The bytes of a released kind and version never change: an export handed over years ago has to verify with today's
 * program. If a line here has to change, add a version instead.
 */
const GOLDEN = {
  'tpp-call':
    '{"v":2,"kind":"tpp-call","at":"2026-03-01T08:00:00.125Z","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","clientId":"11111111-2222-4333-8444-555555555555","organisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","surface":"rs","operationId":"GetAccounts","method":"GET","route":"/accounts","status":200,"errorCode":null,"consentId":"0d8f1c7e-6b5a-4c3d-9e2f-1a0b9c8d7e6f","attended":true,"hubMs":4.124,"lfiMs":20,"lfiStatus":200,"records":3,"softwareStatementId":"11111111-2222-4333-8444-555555555555","apiSet":"BankDataSharing","hubInMs":3,"hubOutMs":1.123,"lfiOutcome":"answered","paymentType":"PushMerchant","merchantId":"m-1","resource":"accounts","rule":"token.scope","expected":"a scope","seen":"none","path":"authorization"}',
  'lfi-call':
    '{"v":1,"kind":"lfi-call","at":"2026-03-01T08:00:00.125Z","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","clientId":"11111111-2222-4333-8444-555555555555","consentId":"0d8f1c7e-6b5a-4c3d-9e2f-1a0b9c8d7e6f","operationId":"GetAccounts","method":"GET","route":"/accounts","status":null,"outcome":"timeout","lfiMs":5000}',
  'lfi-request':
    '{"v":2,"kind":"lfi-request","at":"2026-03-01T08:00:00.125Z","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","surface":"cm","operationId":"PatchConsent","method":"PATCH","route":"/consents/{consentId}","status":204,"errorCode":null,"consentId":"0d8f1c7e-6b5a-4c3d-9e2f-1a0b9c8d7e6f","callerClientId":"aurora-core","hubMs":2.5,"resource":"consents","rule":null,"expected":null,"seen":null,"path":null}',
  'authorization-step':
    '{"v":1,"kind":"authorization-step","at":"2026-03-01T08:00:00.125Z","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","step":"par","outcome":"refused","error":"invalid_request","clientId":"11111111-2222-4333-8444-555555555555","consentId":null}',
  'consent-changed':
    '{"v":1,"kind":"consent-changed","at":"2026-03-01T08:00:00.125Z","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","consentId":"0d8f1c7e-6b5a-4c3d-9e2f-1a0b9c8d7e6f","change":"authorize","from":"AwaitingAuthorization","to":"Authorized","revision":2,"by":"lfi","callerOrganisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","callerClientId":null,"changed":["accountIds","psuIdentifiers"]}',
  'resource-changed':
    '{"v":1,"kind":"resource-changed","at":"2026-03-01T08:00:00.125Z","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","resource":"payment","logId":"17","consentId":"0d8f1c7e-6b5a-4c3d-9e2f-1a0b9c8d7e6f","clientId":"11111111-2222-4333-8444-555555555555","change":"patched","from":"Pending","to":"Rejected","revision":3,"by":"lfi","callerOrganisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","callerClientId":null,"changed":["paymentResponse.status"]}',
  'participant-changed':
    '{"v":1,"kind":"participant-changed","at":"2026-03-01T08:00:00.125Z","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","organisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","softwareStatementId":"statement-1","clientId":"11111111-2222-4333-8444-555555555555","change":"registered","by":"tpp"}',
  'admin-act':
    '{"v":1,"kind":"admin-act","at":"2026-03-01T08:00:00.125Z","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","actor":"operator@aurora","act":"client blocked","target":"11111111-2222-4333-8444-555555555555"}',
  system:
    '{"v":1,"kind":"system","at":"2026-03-01T08:00:00.125Z","tenantId":"aurora","interactionId":null,"event":"started","detail":"line one\\nline two “é”"}',
} as const

describe('encode', () => {
  test.each(AUDIT_KINDS)('%s gives its golden bytes', (kind) => {
    expect(encode(ENTRIES[kind]).bytes.toString('utf8')).toBe(GOLDEN[kind])
  })

  test('does not depend on the order in which a caller wrote the members', () => {
    const reversed = Object.fromEntries(Object.entries(ENTRIES['tpp-call']).reverse()) as unknown as AuditEntry
    expect(encode(reversed).bytes).toEqual(encode(ENTRIES['tpp-call']).bytes)
  })

  test('never writes a line feed: one entry is one line of an export', () => {
    for (const entry of allEntries()) expect(encode(entry).bytes.includes(0x0a)).toBe(false)
  })

  test('drops a member that the kind does not have', () => {
    const entry = { ...ENTRIES.system, body: 'a payload' } as AuditEntry
    expect(encode(entry).bytes.toString()).toBe(GOLDEN.system)
  })

  test('gives the lookup columns beside the bytes', () => {
    const { interactionId, consentId } = encode(ENTRIES['consent-changed'])
    expect([interactionId, consentId]).toEqual([
      ENTRIES['consent-changed'].interactionId,
      ENTRIES['consent-changed'].consentId,
    ])
    expect(encode(ENTRIES.system)).toMatchObject({ interactionId: null, consentId: null })
  })

  test('cuts a text from outside that is too long', () => {
    const bytes = encode({ ...ENTRIES['tpp-call'], errorCode: 'x'.repeat(10_000) }).bytes
    expect(decode(bytes)?.['errorCode']).toBe('x'.repeat(256))
  })

  test.each([
    ['a missing member', { status: undefined }],
    ['an object where a text belongs', { method: { toString: () => 'GET' } }],
    ['a number that JSON cannot hold', { hubMs: Number.NaN }],
    ['a text where a flag belongs', { attended: 'yes' }],
    ['a missing interaction id', { interactionId: undefined }],
  ])('refuses %s', (_name, change) => {
    expect(() => encode({ ...ENTRIES['tpp-call'], ...change } as unknown as AuditEntry)).toThrow(/audit entry: member/)
  })
})

describe('decode', () => {
  test('reads back what was encoded', () => {
    for (const entry of allEntries())
      expect(decode(encode(entry).bytes)).toMatchObject({
        v: expect.toBeOneOf([1, 2]),
        kind: entry.kind,
        tenantId: 'aurora',
      })
  })

  test('reads a kind that a later release may have added', () => {
    const later = { v: 3, kind: 'key-rotated', at: 'x', tenantId: 'aurora', interactionId: null, more: 1 }
    expect(decode(Buffer.from(JSON.stringify(later)))).toEqual(later)
  })

  test.each([
    '',
    'null',
    '[]',
    '7',
    '{"v":1}',
    '{"v":1,"kind":"system","at":"x","tenantId":"aurora"}',
    '{',
  ])('refuses %j', (text) => {
    expect(decode(Buffer.from(text))).toBeNull()
  })
})
