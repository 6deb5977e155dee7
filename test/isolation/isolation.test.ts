/**
 * Whoever tries a door on a consent that is not theirs sees what they would see if it did not exist: the same answer,
 * byte for byte but for the ids that they sent, and the same statements in the database, so that not even the time it
 * takes tells them apart. And nothing changes.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FixedRole } from '../../src/config.ts'
import type { Certificate } from '../gateway/support/pki.ts'
import type { Answer, Call } from '../gateway/support/tpp.ts'
import { REDIRECT_URI } from '../profiles/support/world.ts'
import { type Statements, watchStatements } from './support/statements.ts'
import { createTwoBanks, createVictim, type TwoBanks, type Victim } from './support/two-banks.ts'

const ACCOUNTS = '/open-finance/account-information/v2.1'
const JSON_TYPE = { 'content-type': 'application/json' }
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' }

let statements: Statements
let banks: TwoBanks
let victim: Victim
let watched = 0
let tokens: { readonly other: string; readonly elsewhere: string }
beforeAll(async () => {
  statements = watchStatements()
  banks = await createTwoBanks()
  victim = await createVictim(banks.world, banks.flow)
  const { otherUae, uae } = banks.world.parties
  const own = async (flow: TwoBanks['flow'], by: typeof uae) => {
    const { answer } = await flow.token(
      by,
      { grant_type: 'client_credentials', scope: 'accounts' },
      { certificate: by.certificate },
    )
    return (answer.json() as { access_token: string }).access_token
  }
  tokens = { other: await own(banks.flow, otherUae), elsewhere: await own(banks.meridianFlow, uae) }
}, 60_000)
afterAll(async () => {
  await banks?.close()
  statements?.restore()
})

/** What is aimed at: something of the victim's, or the like of it that never was. */
type Aim = {
  readonly consentId: string
  readonly requestUri: string
  readonly interactionId: string
  readonly code: string
  readonly verifier: string
  readonly refreshToken: string
  readonly accessToken: string
}
const real = (): Aim => ({
  consentId: victim.used.consentId,
  requestUri: victim.waiting.requestUri,
  interactionId: victim.begun.interactionId,
  code: victim.coded.code,
  verifier: victim.coded.verifier,
  refreshToken: victim.used.refreshToken,
  accessToken: victim.used.accessToken,
})
const like = (text: string): string =>
  text.replaceAll(/[A-Za-z0-9_-]{8,}$/g, (run) => randomBytes(run.length).toString('base64url').slice(0, run.length))
const absent = (): Aim => {
  const aim = real()
  return {
    ...aim,
    consentId: randomUUID(),
    requestUri: like(aim.requestUri),
    interactionId: like(aim.interactionId),
    code: like(aim.code),
    refreshToken: like(aim.refreshToken),
  }
}

type Who = 'other TPP' | 'same TPP, other LFI' | 'other LFI' | 'no certificate'
type Attempt = {
  readonly tenant: 'aurora' | 'meridian'
  readonly door: FixedRole
  readonly who: Who
  readonly what: string
  /** Status of both answers. */
  readonly status: number
  /**
   * Codes and refresh tokens are secrets. Whoever has one knows that it exists, so only the answer must be the same; what
   * is looked up for it may be more.
   */
  readonly isSecret?: true
  readonly ask: (aim: Aim) => Promise<Answer>
}

const certificateOf = (who: Who): Certificate | null => {
  const { parties } = banks.world
  if (who === 'other TPP') return parties.otherUae.certificate
  if (who === 'same TPP, other LFI') return parties.uae.certificate
  return who === 'other LFI' ? banks.otherBank : null
}
type Asked = Omit<Call, 'certificate' | 'path'> & { readonly path: (aim: Aim) => string }
const attempt = (
  tenant: Attempt['tenant'],
  door: FixedRole,
  who: Who,
  status: number,
  what: string,
  { path, ...call }: Asked,
): Attempt => ({
  tenant,
  door,
  who,
  what,
  status,
  ask: (aim) => banks.call[tenant](door, { ...call, path: path(aim), certificate: certificateOf(who) }),
})

const PATCHED = JSON.stringify({ status: 'Suspended', authorizationChannel: 'App' })
const REVOKED = JSON.stringify({ revokedBy: 'LFI' })
type CmCall = { readonly what: string; readonly absent: number } & Asked
const CONSENT_MANAGER: readonly CmCall[] = [
  { what: 'GET /consents/{id}', absent: 400, path: ({ consentId }) => `/consents/${consentId}` },
  { what: 'GET /consents/{id}/audit', absent: 400, path: ({ consentId }) => `/consents/${consentId}/audit` },
  {
    what: 'PATCH /consents/{id}',
    absent: 400,
    path: ({ consentId }) => `/consents/${consentId}`,
    method: 'PATCH',
    headers: JSON_TYPE,
    body: PATCHED,
  },
  {
    what: 'POST /consents/{id}/action/revoke',
    absent: 400,
    path: ({ consentId }) => `/consents/${consentId}/action/revoke`,
    method: 'POST',
    headers: JSON_TYPE,
    body: REVOKED,
  },
  {
    what: 'GET /consent-groups/{id}/consents',
    absent: 200,
    path: ({ consentId }) => `/consent-groups/${consentId}/consents`,
  },
  {
    what: 'POST /consent-groups/{id}/…/revoke',
    absent: 400,
    path: ({ consentId }) => `/consent-groups/${consentId}/consents/action/revoke`,
    method: 'POST',
    headers: JSON_TYPE,
    body: REVOKED,
  },
  { what: 'GET /payment-log', absent: 200, path: ({ consentId }) => `/payment-log?consentId=${consentId}` },
  {
    what: 'PATCH /payment-log/{id}',
    absent: 400,
    path: ({ consentId }) => `/payment-log/${consentId}`,
    method: 'PATCH',
    headers: JSON_TYPE,
    body: '{"paymentResponse.status":"Rejected"}',
  },
]
const ADMIN: readonly Pick<CmCall, 'what' | 'path'>[] = [
  { what: 'GET /consents/{id}', path: ({ consentId }) => `/consents/${consentId}` },
  { what: 'GET /consents/{id}?at=', path: ({ consentId }) => `/consents/${consentId}?at=2026-03-01T00:00:00Z` },
  { what: 'GET /consents/{id}/history', path: ({ consentId }) => `/consents/${consentId}/history` },
]
const authorize = ({ requestUri }: Aim): string =>
  `/auth?${new URLSearchParams({ client_id: banks.world.parties.uae.clientId, request_uri: requestUri })}`
const HEADLESS: readonly (Asked & { readonly what: string; readonly absent: number })[] = [
  { what: 'GET /auth with the request_uri', absent: 400, path: authorize },
  {
    what: 'POST /auth/{interaction}/doConfirm',
    absent: 404,
    path: ({ interactionId }) => `/auth/${interactionId}/doConfirm`,
    method: 'POST',
    headers: FORM_TYPE,
  },
  {
    what: 'POST /auth/{interaction}/doFail',
    absent: 404,
    path: ({ interactionId }) => `/auth/${interactionId}/doFail`,
    method: 'POST',
    headers: FORM_TYPE,
  },
]

const REVOCATION = JSON.stringify({ Data: { Status: 'Revoked' } })
/** The token of the caller itself, at either bank. */
const consentOfTpp = (tenant: Attempt['tenant'], who: Who, token: () => string): readonly Attempt[] => {
  const asked: readonly [string, number, (aim: Aim) => string, Partial<Call>][] = [
    [
      'GET /account-access-consents/{id}',
      400,
      ({ consentId }) => `${ACCOUNTS}/account-access-consents/${consentId}`,
      {},
    ],
    [
      'PATCH /account-access-consents/{id}',
      400,
      ({ consentId }) => `${ACCOUNTS}/account-access-consents/${consentId}`,
      { method: 'PATCH', headers: JSON_TYPE, body: REVOCATION },
    ],
    [
      'GET /account-access-consents?baseConsentId',
      200,
      ({ consentId }) => `${ACCOUNTS}/account-access-consents?baseConsentId=${consentId}`,
      {},
    ],
  ]
  return asked.map(([what, status, path, call]) => ({
    tenant,
    door: 'rs',
    who,
    what,
    status,
    ask: (aim) =>
      banks.call[tenant]('rs', {
        ...call,
        path: path(aim),
        certificate: certificateOf(who),
        headers: { authorization: `Bearer ${token()}`, ...call.headers },
      }),
  }))
}

/** At the authorization server, with the caller's own credentials. */
const tokenCall = (
  tenant: Attempt['tenant'],
  who: 'other TPP' | 'same TPP, other LFI',
  path: '/token' | '/introspection' | '/token/revoke',
  [what, status]: readonly [string, number],
  form: (aim: Aim) => Readonly<Record<string, string>>,
): Attempt => ({
  tenant,
  door: 'as',
  who,
  what,
  status,
  isSecret: true,
  ask: async (aim) => {
    const by = who === 'other TPP' ? banks.world.parties.otherUae : banks.world.parties.uae
    const flow = tenant === 'aurora' ? banks.flow : banks.meridianFlow
    return (await flow.post(path, { ...flow.credentials(by), ...form(aim) }, { certificate: by.certificate })).answer
  },
})
const AT_TOKEN = (['other TPP', 'same TPP, other LFI'] as const).flatMap((who): readonly Attempt[] => {
  const tenant = who === 'other TPP' ? 'aurora' : 'meridian'
  return [
    tokenCall(tenant, who, '/token', ['POST /token with the code', 400], ({ code, verifier }) => ({
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
    })),
    tokenCall(tenant, who, '/token', ['POST /token with the refresh token', 400], ({ refreshToken }) => ({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
    })),
    tokenCall(tenant, who, '/introspection', ['POST /introspection of the refresh token', 200], ({ refreshToken }) => ({
      token: refreshToken,
    })),
    tokenCall(tenant, who, '/token/revoke', ['POST /token/revoke of the refresh token', 200], ({ refreshToken }) => ({
      token: refreshToken,
    })),
  ]
})

const ATTEMPTS: readonly Attempt[] = [
  ...AT_TOKEN,
  ...consentOfTpp('aurora', 'other TPP', () => tokens.other),
  ...consentOfTpp('meridian', 'same TPP, other LFI', () => tokens.elsewhere),
  ...HEADLESS.flatMap(({ what, absent: status, ...asked }) => [
    attempt('aurora', 'hh', 'other LFI', 401, what, asked),
    attempt('aurora', 'hh', 'other TPP', 401, what, asked),
    attempt('meridian', 'hh', 'other LFI', status, what, asked),
  ]),
  ...CONSENT_MANAGER.flatMap(({ what, absent: status, ...asked }) => [
    attempt('aurora', 'cm', 'other LFI', 401, what, asked),
    attempt('aurora', 'cm', 'other TPP', 401, what, asked),
    attempt('meridian', 'cm', 'other LFI', status, what, asked),
  ]),
  ...ADMIN.flatMap(({ what, ...asked }) => [
    attempt('aurora', 'admin', 'other LFI', 401, what, asked),
    attempt('aurora', 'admin', 'other TPP', 401, what, asked),
    attempt('meridian', 'admin', 'other LFI', 404, what, asked),
  ]),
]

/** Of an answer everything that its reader sees, without what differs from one call to the next by itself. */
function seen({ status, headers, text }: Answer, aim: Aim): object {
  const { date: _, 'x-fapi-interaction-id': __, ...told } = headers
  const own = Object.values(aim).flatMap((value) => [value, encodeURIComponent(value)])
  const anonymous = (value: string): string => own.reduce((from, id) => from.replaceAll(id, 'ID'), value)
  return { status, headers: JSON.parse(anonymous(JSON.stringify(told))), text: anonymous(text) }
}

/** Everything that is stored about the victim's consents. */
async function stored(): Promise<object> {
  const { db } = banks.world
  const [consents, trail, notices] = await Promise.all([
    db('consent').whereIn('id', victim.ids).orderBy('id').select(),
    db('consent_trail').whereIn('consent_id', victim.ids).orderBy('id').select(),
    db('outbox').whereIn('consent_id', victim.ids).orderBy('id').select(),
  ])
  return { consents, trail, notices }
}

describe('another’s consent is as one that does not exist', () => {
  test.each(ATTEMPTS)('$tenant $door: $who, $what', async ({ ask, status, isSecret }) => {
    const before = await stored()
    // Whoever tries has been here before: what is read once, of the caller itself, is read.
    await ask(absent())
    const [aim, nothing] = [real(), absent()]
    const control = await statements.during(() => ask(nothing))
    const tried = await statements.during(() => ask(aim))
    expect(seen(tried.result, aim)).toEqual(seen(control.result, nothing))
    if (isSecret === undefined) expect(tried.statements).toEqual(control.statements)
    watched += control.statements.length
    expect(tried.result.status, tried.result.text).toBe(status)
    expect(await stored()).toEqual(before)
  })
})

describe('an access token in other hands', () => {
  const get = (tenant: Attempt['tenant'], certificate: Certificate | null) =>
    banks.call[tenant]('rs', {
      path: `${ACCOUNTS}/accounts`,
      certificate,
      headers: { authorization: `Bearer ${victim.used.accessToken}` },
    })
  const HANDS: readonly [string, Attempt['tenant'], Who][] = [
    ['of another TPP', 'aurora', 'other TPP'],
    ['of nobody', 'aurora', 'no certificate'],
    ['of its own TPP at another LFI', 'meridian', 'same TPP, other LFI'],
    ['of another LFI', 'aurora', 'other LFI'],
  ]
  test.each(HANDS)('%s opens nothing', async (_whose, tenant, who) => {
    const before = await stored()
    const answer = await get(tenant, certificateOf(who))
    expect([answer.status, answer.text]).toEqual([401, ''])
    expect(await stored()).toEqual(before)
  })

  test.each([
    ['aurora', 'other TPP'],
    ['meridian', 'same TPP, other LFI'],
  ] as const)('at %s, introspected by %s, is not active, and revoked by it stays good', async (tenant, who) => {
    const inactive = tokenCall(tenant, who, '/introspection', ['', 200], ({ accessToken }) => ({ token: accessToken }))
    const revoked = tokenCall(tenant, who, '/token/revoke', ['', 200], ({ accessToken }) => ({ token: accessToken }))
    const answer = await inactive.ask(real())
    expect([answer.status, answer.text.includes('"active":true'), answer.text.includes(victim.used.consentId)]).toEqual(
      [200, false, false],
    )
    await revoked.ask(real())
    expect((await get('aurora', victim.owner.certificate)).status).not.toBe(401)
  })
})

test('a consent id that another TPP has taken is refused, and tells nothing of the consent', async () => {
  const before = await stored()
  const { otherUae } = banks.world.parties
  const { params } = banks.flow.request()
  const [detail] = params['authorization_details'] as { consent: object }[]
  const taken = { ...detail, consent: { ...detail?.consent, ConsentId: victim.used.consentId } }
  const { answer } = await banks.flow.push(
    otherUae,
    { ...params, authorization_details: [taken] },
    { certificate: otherUae.certificate },
  )
  expect(answer.status).toBe(400)
  expect(answer.text).not.toMatch(/Authorized|user-7|acc-1/)
  expect(await stored()).toEqual(before)
})

test('afterwards everything of the victim still works', async () => {
  const { owner, used, begun } = victim
  const how = { certificate: owner.certificate }
  const refreshed = await banks.flow.token(
    owner,
    { grant_type: 'refresh_token', refresh_token: used.refreshToken },
    how,
  )
  expect(refreshed.answer.status, refreshed.answer.text).toBe(200)
  expect((await victim.redeemCode()).answer.status).toBe(200)
  const read = await banks.call.aurora('cm', { path: `/consents/${begun.consentId}`, certificate: banks.world.bank })
  expect(read.status).toBe(200)
  const failed = await banks.flow.hh('POST', `/auth/${begun.interactionId}/doFail`)
  expect([failed.status, failed.headers.location?.startsWith(REDIRECT_URI)]).toEqual([303, true])
})

test('every door that knows consents was tried', () => {
  const tried = new Set(ATTEMPTS.map(({ door }) => door))
  expect([...tried].sort()).toEqual(['admin', 'as', 'cm', 'hh', 'rs'])
  expect(ATTEMPTS.length).toBeGreaterThan(40)
  // Refusals by certificate ask the database nothing at the operator's door; all others at least record themselves.
  expect(watched).toBeGreaterThan(ATTEMPTS.length)
})
