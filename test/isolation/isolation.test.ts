/**
 * Whoever tries a door on a consent that is not theirs sees what they would see if it did not exist: the same answer,
 * byte for byte but for the ids that they sent, and the same statements in the database, so that not even the time it
 * takes tells them apart. And nothing changes.
 */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { query } from '../../src/db.ts'
import type { Certificate } from '../gateway/support/pki.ts'
import type { Answer } from '../gateway/support/tpp.ts'
import { REDIRECT_URI } from '../profiles/support/world.ts'
import { type Aim, absent, real } from './support/aim.ts'
import { AT_AS } from './support/at-as.ts'
import { atLfi } from './support/at-lfi.ts'
import { AT_RS } from './support/at-rs.ts'
import { type Attempt, certificateOf, type Tenant, type Who } from './support/attempt.ts'
import { type Statements, watchStatements } from './support/statements.ts'
import { createTokens, type Tokens } from './support/tokens.ts'
import { createTwoBanks, type TwoBanks } from './support/two-banks.ts'
import { createVictim, type Victim } from './support/victim.ts'

const ACCOUNTS = '/open-finance/account-information/v2.1'

let statements: Statements
let banks: TwoBanks
let victim: Victim
let tokens: Tokens
let watched = 0
beforeAll(async () => {
  statements = watchStatements()
  banks = await createTwoBanks()
  victim = await createVictim(banks.world, banks.flow)
  tokens = await createTokens(banks)
}, 60_000)
afterAll(async () => {
  await banks?.close()
  statements?.restore()
})

/** What is pushed comes last: it leaves something behind. */
const ATTEMPTS: readonly Attempt[] = [...AT_RS, ...atLfi(() => banks.world.parties.uae.clientId), ...AT_AS]

/** Of an answer everything that its reader sees, without what differs from one call to the next by itself. */
function seen({ status, headers, text }: Answer, aim: Aim): object {
  const { date: _, 'x-fapi-interaction-id': __, ...told } = headers
  const own = Object.values(aim)
    .filter(({ length }) => length >= 8)
    .flatMap((value) => [value, encodeURIComponent(value)])
  const anonymous = (value: string): string => own.reduce((from, id) => from.replaceAll(id, 'ID'), value)
  return { status, headers: JSON.parse(anonymous(JSON.stringify(told))), text: anonymous(saidIn(text)) }
}

/** What a signed answer says; a request_uri is new each time. */
function saidIn(text: string): string {
  const [, payload] = text.split('.')
  const said = text.startsWith('eyJ') && payload !== undefined ? Buffer.from(payload, 'base64url').toString() : text
  return said.replace(/"(?:iat|nbf|exp)":\d+/g, '').replace(/request_uri:[\w-]+/, 'request_uri:new')
}

/** A digest of everything that is stored about the victim's consents, and of what was asked for under them or beside them. */
async function stored(): Promise<string> {
  const all = (table: string, of: string) =>
    `(select coalesce(string_agg(each::text, '' order by id), '') from ${table} as each where ${of} = any(?))`
  const { ids, owner } = victim
  const { rows } = await query<{ digest: string }>(
    banks.world.db,
    `select md5(${all('consent', 'id')} || ${all('consent_trail', 'consent_id')} || ${all('outbox', 'consent_id')}
       || ${all('payment_log', 'client_id')} || ${all('service_request', 'client_id')}) as digest`,
    [ids, ids, ids, [owner.clientId], [owner.clientId]],
  )
  return rows[0]?.digest ?? ''
}

describe('another’s consent is as one that does not exist', () => {
  let before: string
  beforeAll(async () => {
    before = await stored()
  })
  const named = ATTEMPTS.map((each) => [`${each.tenant} ${each.door}: ${each.who}, ${each.what}`, each] as const)
  test.each(named)('%s', async (_name, { ask, status, isSecret }) => {
    const [aim, nothing] = [real(victim), absent(victim)]
    const both = async () => ({
      control: await statements.during(() => ask(nothing, { banks, tokens })),
      tried: await statements.during(() => ask(aim, { banks, tokens })),
    })
    const first = await both()
    // What is read once, of the caller itself, has been read then.
    const isCold = isSecret === undefined && !isDeepStrictEqual(first.tried.statements, first.control.statements)
    const { control, tried } = isCold ? await both() : first
    expect(seen(tried.result, aim)).toEqual(seen(control.result, nothing))
    if (isSecret === undefined) expect(tried.statements).toEqual(control.statements)
    watched += control.statements.length
    expect(tried.result.status, tried.result.text).toBe(status)
    expect(await stored()).toBe(before)
  })
})

describe('an access token in other hands', () => {
  const get = (tenant: Tenant, certificate: Certificate | null) =>
    banks.call[tenant]('rs', {
      path: `${ACCOUNTS}/accounts`,
      certificate,
      headers: { authorization: `Bearer ${victim.used.accessToken}` },
    })
  const HANDS: readonly [string, Tenant, Who][] = [
    ['of another TPP', 'aurora', 'other TPP'],
    ['of nobody', 'aurora', 'no certificate'],
    ['of its own TPP at another LFI', 'meridian', 'same TPP, other LFI'],
    ['of another LFI', 'aurora', 'other LFI'],
  ]
  test.each(HANDS)('%s opens nothing', async (_whose, tenant, who) => {
    const before = await stored()
    const answer = await get(tenant, certificateOf(who, { banks, tokens }))
    expect([answer.status, answer.text]).toEqual([401, ''])
    expect(await stored()).toBe(before)
  })

  test.each([
    ['aurora', 'other TPP'],
    ['meridian', 'same TPP, other LFI'],
  ] as const)('at %s, introspected by %s, is not active, and revoked by it stays good', async (tenant, who) => {
    const by = who === 'other TPP' ? banks.world.parties.otherUae : banks.world.parties.uae
    const flow = tenant === 'aurora' ? banks.flow : banks.meridianFlow
    const say = async (path: string): Promise<Answer> => {
      const form = { ...flow.credentials(by), token: victim.used.accessToken }
      return (await flow.post(path, form, { certificate: by.certificate })).answer
    }
    const { status, text } = await say('/introspection')
    expect([status, text.includes('"active":true'), text.includes(victim.used.consentId)]).toEqual([200, false, false])
    await say('/token/revoke')
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
  expect(await stored()).toBe(before)
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
  expect((await victim.coded.redeem()).answer.status).toBe(200)
  const read = await banks.call.aurora('cm', { path: `/consents/${begun.consentId}`, certificate: banks.world.bank })
  expect(read.status).toBe(200)
  const failed = await banks.flow.hh('POST', `/auth/${begun.interactionId}/doFail`)
  expect([failed.status, failed.headers.location?.startsWith(REDIRECT_URI)]).toEqual([303, true])
})

// That no operation of these is left out is the compiler's business: the tables have a row for each (attempt.ts, at-rs.ts).
test('every door that knows consents was tried', () => {
  const tried = new Set(ATTEMPTS.map(({ door }) => door))
  expect([...tried].sort()).toEqual(['admin', 'as', 'cm', 'hh', 'rs'])
  expect(ATTEMPTS.length).toBeGreaterThan(150)
  // Refusals by certificate ask the database nothing at the operator's door; all others at least record themselves.
  expect(watched).toBeGreaterThan(ATTEMPTS.length)
})
