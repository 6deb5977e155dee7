import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { AUDIT_KINDS, type AuditEntry, encode, LAYOUTS } from '../../../src/audit/entry.ts'
import { FIELDS } from '../../../src/audit/fields.ts'
import { decode } from '../../../src/audit/stored-entry.ts'
import { allEntries, ENTRIES } from './entries.ts'
import { FORMER } from './former.ts'

/**
 * The bytes of a released kind and version never change: an export handed over years ago has to verify with today's
 * program. If a line here has to change, add a version instead. Salts are random; `*` stands for a commitment.
 */
const GOLDEN = {
  'tpp-call':
    '{"v":2,"kind":"tpp-call","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","clientId":"11111111-2222-4333-8444-555555555555","organisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","surface":"rs","operationId":"GetAccounts","method":"GET","route":"/accounts","status":200,"errorCode":null,"consentId":{"commitment":"*"},"attended":true,"hubMs":4.124,"lfiMs":20,"lfiStatus":200,"records":3,"softwareStatementId":"11111111-2222-4333-8444-555555555555","apiSet":"BankDataSharing","hubInMs":3,"hubOutMs":1.123,"lfiOutcome":"answered","paymentType":"PushMerchant","merchantId":"m-1","resource":"accounts","rule":"token.scope","expected":"a scope","seen":"none","path":"authorization","responseDigest":{"commitment":"*"},"requestDigest":{"commitment":"*"},"parentInteractionId":null}',
  'lfi-call':
    '{"v":2,"kind":"lfi-call","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","clientId":"11111111-2222-4333-8444-555555555555","consentId":{"commitment":"*"},"operationId":"GetAccounts","method":"GET","route":"/accounts","status":null,"outcome":"timeout","lfiMs":5000,"requestDigest":null,"parentInteractionId":{"commitment":"*"}}',
  'webhook-call':
    '{"v":1,"kind":"webhook-call","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","clientId":"11111111-2222-4333-8444-555555555555","consentId":{"commitment":"*"},"resource":"consent","eventId":"5f0c3a52-7f0e-4b7e-9d4c-0a1b2c3d4e5f","attempt":2,"status":202,"outcome":"answered","requestDigest":{"commitment":"*"},"parentInteractionId":{"commitment":"*"}}',
  'lfi-request':
    '{"v":2,"kind":"lfi-request","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","surface":"cm","operationId":"PatchConsent","method":"PATCH","route":"/consents/{consentId}","status":204,"errorCode":null,"consentId":{"commitment":"*"},"callerClientId":"aurora-core","hubMs":2.5,"resource":"consents","rule":null,"expected":null,"seen":null,"path":null,"requestDigest":{"commitment":"*"},"parentInteractionId":null}',
  'refused-early':
    '{"v":1,"kind":"refused-early","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":null,"surface":"rs","status":503,"reason":"capacity","calls":17,"since":"2026-03-01T07:59:01.000Z"}',
  'authorization-step':
    '{"v":1,"kind":"authorization-step","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","step":"par","outcome":"refused","error":"invalid_request","clientId":"11111111-2222-4333-8444-555555555555","consentId":null}',
  'consent-changed':
    '{"v":2,"kind":"consent-changed","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","consentId":{"commitment":"*"},"change":"authorize","from":"AwaitingAuthorization","to":"Authorized","revision":2,"by":"lfi","callerOrganisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","callerClientId":null,"changed":["accountIds","psuIdentifiers"],"organisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","clientId":"11111111-2222-4333-8444-555555555555","consentType":"account-access","standardVersion":"v2.1","userType":"Retail","purpose":"AccountAggregation","isLargeCorporate":null,"isRenewal":false,"revokedBy":null}',
  'resource-changed':
    '{"v":2,"kind":"resource-changed","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","resource":"payment","logId":"17","consentId":{"commitment":"*"},"clientId":"11111111-2222-4333-8444-555555555555","change":"patched","from":"Pending","to":"Rejected","revision":3,"by":"lfi","callerOrganisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","callerClientId":null,"changed":["paymentResponse.status"],"organisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","paymentType":"PushMerchant","merchantId":"m-1","paymentConsentType":"SingleInstantPayment","successfulTransactions":0}',
  'participant-changed':
    '{"v":1,"kind":"participant-changed","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","organisationId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","softwareStatementId":"statement-1","clientId":"11111111-2222-4333-8444-555555555555","change":"registered","by":{"commitment":"*"}}',
  'portal-act':
    '{"v":1,"kind":"portal-act","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","actor":{"commitment":"*"},"act":"tpps.block-all","outcome":"approved","target":{"commitment":"*"},"before":"3 active","after":"none active","proposal":"17"}',
  'consent-viewed':
    '{"v":1,"kind":"consent-viewed","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","actor":{"commitment":"*"},"act":"consent read","consentId":{"commitment":"*"}}',
  'admin-act':
    '{"v":1,"kind":"admin-act","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":"8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60","actor":{"commitment":"*"},"act":"client blocked","target":"11111111-2222-4333-8444-555555555555"}',
  system:
    '{"v":1,"kind":"system","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":null,"event":"started","detail":"line one\\nline two “é”"}',
  'log-key':
    '{"v":1,"kind":"log-key","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":null,"publicKey":"falaj/aurora+01234567+AQ==","previous":null}',
  hour: '{"v":1,"kind":"hour","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":null,"hour":"2026-03-01T08:00:00.000Z","missed":0,"clockSource":"ntp","clockStepMs":-250,"databaseOffsetMs":1.5}',
  erased:
    '{"v":1,"kind":"erased","at":"2026-03-01T08:00:00.125Z","clock":"steady","tenantId":"aurora","interactionId":null,"openings":["7:consentId"],"reason":"asked for","actor":{"commitment":"*"}}',
} as const

const bytesOf = (entry: AuditEntry): Buffer => encode(entry, 'steady').bytes
const withoutSalt = (bytes: Buffer): string =>
  bytes.toString('utf8').replaceAll(/"commitment":"[^"]{44}"/g, '"commitment":"*"')

describe('encode', () => {
  test.each(AUDIT_KINDS)('%s gives its golden bytes', (kind) => {
    expect(withoutSalt(bytesOf(ENTRIES[kind]))).toBe(GOLDEN[kind])
  })

  test('does not depend on the order in which a caller wrote the members', () => {
    const reversed = Object.fromEntries(Object.entries(ENTRIES['tpp-call']).reverse()) as unknown as AuditEntry
    expect(withoutSalt(bytesOf(reversed))).toBe(GOLDEN['tpp-call'])
  })

  test('never writes a line feed: one entry is one line of an export', () => {
    for (const entry of allEntries()) expect(bytesOf(entry).includes(0x0a)).toBe(false)
  })

  test('drops a member that the kind does not have', () => {
    const entry = { ...ENTRIES.system, body: 'a payload' } as AuditEntry
    expect(bytesOf(entry).toString()).toBe(GOLDEN.system)
  })

  test('cuts a text from outside that is too long', () => {
    const bytes = bytesOf({ ...ENTRIES['tpp-call'], errorCode: 'x'.repeat(10_000) })
    expect(decode(bytes)?.['errorCode']).toBe('x'.repeat(256))
  })

  test.each([
    ['a missing member', { status: undefined }],
    ['an object where a text belongs', { method: { toString: () => 'GET' } }],
    ['a number that JSON cannot hold', { hubMs: Number.NaN }],
    ['a text where a flag belongs', { attended: 'yes' }],
    ['a missing interaction id', { interactionId: undefined }],
    ['an object where a committed text belongs', { consentId: { commitment: 'mine' } }],
  ])('refuses %s', (_name, change) => {
    expect(() => bytesOf({ ...ENTRIES['tpp-call'], ...change } as unknown as AuditEntry)).toThrow(/audit entry: member/)
  })
})

describe('what is committed', () => {
  test('is nowhere in the bytes, and opens with its salt, field by field', () => {
    const { bytes, openings } = encode(ENTRIES['tpp-call'], 'steady')
    const entry = JSON.parse(bytes.toString()) as Record<string, { commitment: string }>
    expect(openings.map(({ field, value }) => [field, value])).toEqual([
      ['consentId', ENTRIES['tpp-call'].consentId],
      ['responseDigest', ENTRIES['tpp-call'].responseDigest],
      ['requestDigest', ENTRIES['tpp-call'].requestDigest],
    ])
    for (const { field, salt, value } of openings) {
      expect(bytes.toString()).not.toContain(value)
      expect(salt).toHaveLength(16)
      // As docs/audit/format.md says it, without the code that made it.
      const preimage = Buffer.concat([Buffer.from(`falaj-commitment/v1\n${field}\n`), salt, Buffer.from(value)])
      expect(entry[field]?.commitment).toBe(hash('sha256', preimage, 'base64'))
    }
    expect(openings[0]?.salt).not.toEqual(openings[1]?.salt)
  })

  test('differs from entry to entry: equal values cannot be told to be equal', () => {
    const commitments = Array.from({ length: 600 }, () => bytesOf(ENTRIES['lfi-call']).toString())
    expect(new Set(commitments).size).toBe(600)
  })

  test('is a text that the database can hold', () => {
    const { openings } = encode({ ...ENTRIES['admin-act'], actor: 'a\0b\ud800' }, 'steady')
    expect(openings[0]?.value).toBe('a\ufffdb\ufffd')
  })

  test('covers consents, answers and persons, in every kind', () => {
    const committed = Object.entries(LAYOUTS).flatMap(([kind, { members }]) =>
      Object.entries(members).flatMap(([name, shape]) => (shape.startsWith('committed') ? [`${kind} ${name}`] : [])),
    )
    expect(committed).toEqual([
      'tpp-call consentId',
      'tpp-call responseDigest',
      'tpp-call requestDigest',
      'tpp-call parentInteractionId',
      'lfi-call consentId',
      'lfi-call requestDigest',
      'lfi-call parentInteractionId',
      'webhook-call consentId',
      'webhook-call requestDigest',
      'webhook-call parentInteractionId',
      'lfi-request consentId',
      'lfi-request requestDigest',
      'lfi-request parentInteractionId',
      'authorization-step consentId',
      'consent-changed consentId',
      'resource-changed consentId',
      'participant-changed by',
      'admin-act actor',
      'portal-act actor',
      'portal-act target',
      'consent-viewed actor',
      'consent-viewed consentId',
      'erased actor',
    ])
  })
})

test('docs/audit/format.md names every kind, and its version where that is not the first', () => {
  const table = readFileSync('docs/audit/format.md', 'utf8')
  for (const kind of AUDIT_KINDS) {
    const { v } = LAYOUTS[kind]
    expect(table).toContain(v === 1 ? `\`${kind}\`` : `\`${kind}\` (${v})`)
  }
})

test('the field dictionary has every member of every kind, and nothing else', () => {
  const written = allEntries().flatMap((entry) => Object.keys(JSON.parse(bytesOf(entry).toString()) as object))
  expect(FIELDS.map(({ name }) => name).sort()).toEqual([...new Set(['index', ...written])].sort())
})

describe('decode', () => {
  test('reads back what was encoded', () => {
    for (const entry of allEntries())
      expect(decode(bytesOf(entry))).toMatchObject({ v: LAYOUTS[entry.kind].v, kind: entry.kind, tenantId: 'aurora' })
  })

  test('reads what an earlier release has written', () => {
    for (const text of FORMER) expect(decode(Buffer.from(text))).toMatchObject({ v: 1, tenantId: 'aurora' })
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
