/** Every refusal of the gateway has a rule, every rule a clause and a use; and whom it concerns can ask why. */
import { globSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERRORS, type ErrorCode } from '../../src/errors.ts'
import type { CorrelationId } from '../../src/ids.ts'
import { RULES } from '../../src/refusals.ts'
import { type Answer, send } from '../gateway/support/tpp.ts'
import { createWorld, type Tpp, type World } from '../gateway/support/world.ts'

describe('the table of rules', () => {
  const sources = globSync('src/**/*.ts').filter((file) => file !== 'src/refusals.ts')
  const code = sources.map((file) => readFileSync(file, 'utf8')).join('\n')

  test.each(Object.entries(RULES))('%s has a clause, an expectation, and is used', (id, rule) => {
    expect(rule.clause).toMatch(/^(?:(?:tpp-api|lfi-api) \d|RFC \d{4} \d|FAPI 2\.0 SP \d)/)
    expect(rule.expected.length).toBeGreaterThan(10)
    expect(
      code.includes(`rule: '${id}'`) || code.includes(`unauthorized('${id}'`) || code.includes(`'${id}' : '`),
    ).toBe(true)
  })

  test('is named by every refusal of the gateway', () => {
    const files = globSync('src/gateway/**/*.ts').filter((file) => !file.includes('/connector/'))
    const unnamed = files.flatMap((file) => unnamedIn(file, readFileSync(file, 'utf8')))
    expect(unnamed).toEqual([])
    expect(files.length).toBeGreaterThan(30)
  })

  test('and a refusal without a rule would be found', () => {
    expect(unnamedIn('a.ts', "throw new HubError('Consent.Invalid', { reason: 'x' })")).toHaveLength(1)
    expect(unnamedIn('a.ts', "throw new HubError('NotFound')")).toHaveLength(1)
    expect(unnamedIn('a.ts', 'new HubError(CODE, {\n  reason: `(x)`,\n})')).toHaveLength(1)
    expect(unnamedIn('a.ts', "new HubError('GenericError', { detail: 'x' })")).toEqual([])
    expect(unnamedIn('a.ts', "new HubError('NotFound', { rule: 'route.known' })")).toEqual([])
  })

  /** Where an error is made with the code of a refusal, or with one that is not written out, and no rule. */
  function unnamedIn(file: string, text: string): readonly string[] {
    return [...text.matchAll(/new HubError\(/g)].flatMap(({ index }) => {
      const call = text.slice(index, endOf(text, index + 'new HubError'.length))
      const literal = /^new HubError\(\s*'([\w.]+)'/.exec(call)?.[1]
      const isFault = literal !== undefined && ERRORS[literal as ErrorCode].status >= 500
      return isFault || /\brule\b/.test(call) ? [] : [`${file}: ${call.slice(0, 80)}`]
    })
  }
  function endOf(text: string, open: number): number {
    let depth = 0
    for (let at = open; at < text.length; at += 1) {
      if (text[at] === '(') depth += 1
      if (text[at] === ')') depth -= 1
      if (depth === 0) return at + 1
    }
    return text.length
  }
})

describe('why was it refused?', () => {
  let world: World
  beforeAll(async () => {
    world = await createWorld()
  })
  afterAll(() => world.close())

  const ask = async (tpp: Tpp, id: unknown, claims: object = {}, base = ''): Promise<Answer> =>
    send(world.client, {
      path: `${base}/refusals/${String(id)}`,
      certificate: tpp.certificate,
      headers: { authorization: `Bearer ${await world.clientToken(tpp, { scope: 'tpp-reports', ...claims })}` },
    })
  const idOf = (answer: Answer) => answer.headers['x-fapi-interaction-id']
  async function explained(refused: Answer, tpp = world.one) {
    const answer = await ask(tpp, idOf(refused))
    expect(answer.status, answer.text).toBe(200)
    expect(world.registry.response('tpp-reports', 'ExplainRefusal', 200)?.(answer.json())).toEqual([])
    return (answer.json() as { Data: Record<string, unknown>[] }).Data
  }

  test('a consent that is no longer usable', async () => {
    const consent = await world.consentOf({})
    const token = await world.userToken(consent)
    await world.consents.patchByTpp(
      consent.id,
      consent.tpp.clientId,
      { status: 'Revoked', revokedBy: 'TPP' },
      {
        by: 'tpp',
        organisationId: consent.tpp.organisationId,
        clientId: consent.tpp.clientId,
        softwareStatementId: consent.tpp.softwareStatementId,
        interactionId: null,
      },
    )
    expect(await explained(await world.get('/accounts', token))).toMatchObject([
      {
        Door: 'rs',
        HttpMethod: 'GET',
        Url: '/open-finance/account-information/v2.1/accounts',
        Status: 400,
        Code: 'Consent.Invalid',
        Rule: 'consent.usable',
        Clause: 'tpp-api 4.9',
        Expected: RULES['consent.usable'].expected,
        Seen: 'Revoked',
        Path: null,
      },
    ])
  })

  test.each<[string, () => Promise<Answer>, object]>([
    ['no such path', () => world.call({ path: '/nowhere' }), { Rule: 'route.known', Status: 404, Url: null }],
    [
      'another method',
      () => world.call({ method: 'PUT', path: '/tpp-reports' }),
      { Rule: 'route.method', Status: 405, Url: null },
    ],
    ['no token', () => world.call({ path: '/tpp-reports' }), { Rule: 'token.in-header', Status: 401 }],
    [
      'an account that is not in the consent',
      async () => world.get('/accounts/acc-secret/balances', await world.userToken(await world.consentOf({}))),
      { Rule: 'consent.account', Status: 403, Path: null },
    ],
    [
      'a parameter of the wrong form',
      async () =>
        world.get(
          '/accounts/acc-1/transactions?fromBookingDateTime=soon',
          await world.userToken(await world.consentOf({})),
        ),
      { Status: 400, Path: 'fromBookingDateTime' },
    ],
    [
      'a parameter that the caller made up',
      async () => world.get('/accounts?AE070331234567890123456=1', await world.userToken(await world.consentOf({}))),
      { Rule: 'resource.form', Seen: 'additionalProperties', Status: 400, Path: null },
    ],
  ])('%s', async (_what, refuse, expected) => {
    const [first, ...others] = await explained(await refuse())
    expect(others).toEqual([])
    expect(first).toMatchObject(expected)
    // Nothing of what was sent comes back.
    for (const secret of ['acc-secret', 'soon', 'AE0703', 'eyJ']) expect(JSON.stringify(first)).not.toContain(secret)
  })

  test('is a secret to others: unknown and foreign are told alike', async () => {
    const refused = await world.call({ path: '/nowhere' })
    const absent = [
      await ask(world.two, idOf(refused)),
      await ask(world.one, crypto.randomUUID()),
      await ask(world.two, crypto.randomUUID()),
    ]
    for (const answer of absent) expect([answer.status, answer.text]).toEqual([404, ''])
    expect((await ask(world.one, idOf(refused), {}, '/open-finance/reporting/v2.1')).status).toBe(200)
  })

  test.each<[string, object, number]>([
    ['without the scope', { scope: 'openid accounts' }, 403],
    ['with a token of another certificate', { cnf: { 'x5t#S256': 'A'.repeat(43) } }, 401],
  ])('is not told %s', async (_what, claims, status) => {
    const refused = await world.call({ path: '/nowhere' })
    expect((await ask(world.one, idOf(refused), claims)).status).toBe(status)
  })

  test('is not told to the token of a user', async () => {
    const token = await world.userToken(await world.consentOf({}), { scope: 'openid accounts tpp-reports' })
    const answer = await world.call({ path: '/tpp-reports', headers: { authorization: `Bearer ${token}` } })
    expect([answer.status, answer.error?.Code]).toEqual([403, 'AccessToken.InvalidScope'])
  })

  test('a call that went well is none, nor one that the LFI refused', async () => {
    const consent = await world.consentOf({})
    world.lfi.answer = (_asked, response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"errorCode":"Consent.BusinessRuleViolation","errorMessage":"of the bank alone"}')
    }
    const refused = await world.get('/accounts', await world.userToken(consent))
    expect(refused.status).toBe(400)
    expect((await ask(world.one, idOf(refused))).status).toBe(404)
    expect(await world.reports.explanations.ofAnybody(String(idOf(refused)) as CorrelationId)).toEqual([])
  })

  test.each([
    ['no id', 'x'],
    ['a path', '..%2f'],
  ])('%s is no interaction id', async (_what, id) => {
    expect((await ask(world.one, id)).status).toBe(400)
  })
})

describe('GET /tpp-reports', () => {
  let world: World
  beforeAll(async () => {
    world = await createWorld()
  })
  afterAll(() => world.close())
  const ask = async (query: string) => {
    const token = await world.clientToken(world.one, { scope: 'tpp-reports' })
    return world.call({ path: `/tpp-reports${query}`, headers: { authorization: `Bearer ${token}` } })
  }

  test.each([
    ['no period', ''],
    ['no end', '?ReportingPeriodStartDate=2026-03-01'],
    ['no such day', '?ReportingPeriodStartDate=2026-02-30&ReportingPeriodEndDate=2026-03-01'],
    ['the end before the beginning', '?ReportingPeriodStartDate=2026-03-02&ReportingPeriodEndDate=2026-03-01'],
    ['more than a quarter', '?ReportingPeriodStartDate=2026-01-01&ReportingPeriodEndDate=2026-04-03'],
    ['a report that is none', '?ReportingPeriodStartDate=2026-03-01&ReportingPeriodEndDate=2026-03-01&ReportType=x'],
    ['a parameter too many', '?ReportingPeriodStartDate=2026-03-01&ReportingPeriodEndDate=2026-03-01&LfiId=x'],
  ])('%s is refused', async (_what, query) => {
    const answer = await ask(query)
    expect([answer.status, answer.error?.Code]).toEqual([400, 'Resource.InvalidFormat'])
  })

  test('a quarter is answered', async () => {
    const answer = await ask('?ReportingPeriodStartDate=2026-01-01&ReportingPeriodEndDate=2026-04-02')
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ Links: { Self: expect.stringContaining('/tpp-reports?Rep') }, Meta: {} })
  })
})
