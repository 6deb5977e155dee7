import { createServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { verify } from '../../src/jose.ts'
import { createSealedTokens } from '../../src/sealed-token.ts'
import { SAMPLES } from '../unit/gateway/samples.ts'
import { undeclared } from './support/declared.ts'
import { type Answering, json } from './support/outside.ts'
import { createBank, createPayer, FILE, PAY_BASE, paymentConsent, schedules } from './support/payments.ts'
import { callService } from './support/signed.ts'
import { createWorld, LFI_CALLER, lfiPatch, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld({ timeoutMs: 400, authentication: 'jwt' })
})
afterAll(async () => {
  expect(await undeclared(world)).toEqual([])
  await world.close()
})
beforeEach(() => {
  world.lfi.asked.length = 0
})

const read = async (path = '/accounts/acc-1/balances') =>
  world.get(path, await world.userToken(await world.consentOf({})))
const said = (errorCode: string, errorMessage = 'the words of the LFI') => ({ errorCode, errorMessage })

describe('what the LFI says and what the TPP is told', () => {
  // biome-ignore format: a table reads by its columns
  const rows: readonly [number, unknown, number, string | null, string | null][] = [
    [400, said('Consent.Invalid'), 400, 'Consent.Invalid', 'the words of the LFI'],
    [400, said('Consent.InvalidUserIdentifier'), 400, 'Consent.InvalidUserIdentifier', 'the words of the LFI'],
    [400, said('Bank.SpecialCase'), 400, 'Bank.SpecialCase', 'the words of the LFI'],
    [400, said('what ever'), 400, 'GenericError', 'the words of the LFI'],
    [400, said('GenericRecoverableError'), 400, 'GenericRecoverableError', 'the words of the LFI'],
    [400, said('toString'), 400, 'GenericError', 'the words of the LFI'],
    [400, said('Unauthorized'), 400, 'GenericError', 'the words of the LFI'],
    [400, '<html>', 400, 'GenericError', null],
    [400, {}, 400, 'GenericError', null],
    [403, said('Consent.AccountTemporarilyBlocked'), 403, 'Consent.AccountTemporarilyBlocked', 'the words of the LFI'],
    [403, said('AccessToken.InvalidScope'), 403, 'AccessToken.InvalidScope', 'the words of the LFI'],
    [403, said('Consent.Invalid'), 403, 'GenericError', 'the words of the LFI'],
    [403, said('Bank.SpecialCase'), 403, 'GenericError', 'the words of the LFI'],
    [409, said('Payment.DuplicateInFlight'), 400, 'Payment.DuplicateInFlight', 'the words of the LFI'],
    [500, said('GenericRecoverableError'), 500, 'GenericRecoverableError', null],
    [500, said('GenericError'), 500, 'GenericError', null],
    [500, said('Bank.Broken'), 500, 'GenericError', null],
    [401, said('any'), 500, 'GenericError', null],
    [404, said('any'), 400, 'Resource.InvalidFormat', null],
    [405, said('any'), 500, 'GenericError', null],
    [406, said('any'), 500, 'GenericError', null],
    [415, said('any'), 500, 'GenericError', null],
    [418, said('any'), 500, 'GenericError', null],
    [501, said('any'), 500, 'GenericError', null],
    [502, said('any'), 500, 'GenericRecoverableError', null],
    [503, said('any'), 500, 'GenericRecoverableError', null],
    [504, said('any'), 500, 'GenericRecoverableError', null],
  ]
  test.each(rows)('%i %j → %i %s', async (lfiStatus, body, status, code, words) => {
    world.lfi.answer = json(lfiStatus, body)
    const answer = await read()
    expect([answer.status, answer.error?.Code]).toEqual([status, code])
    if (words === null) expect(answer.text).not.toContain('the words of the LFI')
    else expect(answer.error?.Message).toBe(words)
    expect(await world.entries(answer.headers['x-fapi-interaction-id'])).toMatchObject([
      { kind: 'tpp-call', status, errorCode: code, lfiStatus },
      { kind: 'lfi-call', status: lfiStatus, outcome: 'answered' },
    ])
  })

  test('404 stays 404 where the operation declares it', async () => {
    world.lfi.answer = json(404, said('any'))
    const answer = await read('/accounts/acc-1/product')
    expect([answer.status, answer.text]).toEqual([404, ''])
  })

  // What is read as what: test/unit/lfi/retry-after.test.ts. A TPP has to be told a time with 429, and may be with 503.
  test.each([
    ['17', '17', '17'],
    ['Wed, 21 Oct 2099 07:28:00 GMT', '3600', '3600'],
    ['999999999', '3600', '3600'],
    ['soon', '60', undefined],
    [null, '60', undefined],
  ])('Retry-After %s passes as %s with 429 and as %s with 503', async (sent, with429, with503) => {
    const headers = sent === null ? undefined : { 'retry-after': sent }
    world.lfi.answer = json(429, {}, headers)
    const many = await read()
    expect([many.status, many.text, many.headers['retry-after']]).toEqual([429, '', with429])
    world.lfi.answer = json(503, {}, headers)
    const away = await read()
    expect([away.status, away.error?.Code, away.headers['retry-after']]).toEqual([
      500,
      'GenericRecoverableError',
      with503,
    ])
  })

  test('words are cut to what the contract allows', async () => {
    world.lfi.answer = json(400, said('Consent.Invalid', 'w'.repeat(600)))
    expect((await read()).error?.Message).toHaveLength(500)
  })

  test.each([301, 302, 307, 308])('%i is not followed', async (status) => {
    world.lfi.answer = json(status, {}, { location: `${world.lfi.url}/elsewhere` })
    const answer = await read()
    expect([answer.status, answer.error?.Code]).toEqual([500, 'GenericError'])
    expect(world.lfi.asked).toHaveLength(1)
  })
})

describe('answers that cannot be used', () => {
  const unusable: Record<string, Answering> = {
    'another content type': (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end(JSON.stringify(SAMPLES.balances.lfi))
    },
    'no JSON': json(200, '{"data":[') as Answering,
    'no body': json(200, '') as Answering,
    // Good but for their size.
    'too large by its own account': (_asked, response) => {
      const body = JSON.stringify(SAMPLES.balances.lfi) + ' '.repeat(200_001)
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
      response.end(body)
    },
    'too large without saying so': (_asked, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write(JSON.stringify(SAMPLES.balances.lfi))
      for (let sent = 0; sent < 300_000; sent += 10_000) response.write(' '.repeat(10_000))
      response.end()
    },
    'without a required member': json(200, { data: [{ accountId: 'acc-1' }] }),
    'of a shape of its own': json(200, { data: 'nothing' }),
    'nested beyond reason': json(200, `${'['.repeat(90_000)}${']'.repeat(90_000)}`),
  }
  test.each(Object.keys(unusable))('%s', async (name) => {
    world.lfi.answer = unusable[name] as Answering
    const answer = await read()
    expect([answer.status, answer.error]).toMatchObject([500, { Code: 'GenericError' }])
    expect(await world.entries(answer.headers['x-fapi-interaction-id'])).toMatchObject([
      { kind: 'tpp-call', status: 500 },
      { kind: 'lfi-call', status: 200, outcome: 'invalid-response' },
    ])
  })
})

describe('an LFI that does not answer', () => {
  test('is given up in time, and told so', async () => {
    world.lfi.answer = () => undefined
    const startedAt = Date.now()
    const answer = await read()
    expect([answer.status, answer.error?.Code]).toEqual([500, 'GenericRecoverableError'])
    expect(Date.now() - startedAt).toBeLessThan(900)
    await world.lfi.asked[0]?.closed
    expect(await world.entries(answer.headers['x-fapi-interaction-id'])).toMatchObject([
      { kind: 'tpp-call', status: 500, errorCode: 'GenericRecoverableError' },
      { kind: 'lfi-call', status: null, outcome: 'timeout' },
    ])
  })

  test('that stops in the middle is given up as well', async () => {
    world.lfi.answer = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"data":[')
    }
    const answer = await read()
    expect([answer.status, answer.error?.Code]).toEqual([500, 'GenericRecoverableError'])
    await world.lfi.asked[0]?.closed
  })

  test('that cuts the connection is asked once more, before its first byte only', async () => {
    world.lfi.answer = (_asked, response) => void response.socket?.destroy()
    const dead = await read()
    expect([dead.status, dead.error?.Code]).toEqual([500, 'GenericRecoverableError'])
    expect(world.lfi.asked).toHaveLength(2)

    world.lfi.asked.length = 0
    let first = true
    world.lfi.answer = (asked, response) => {
      if (first) response.socket?.destroy()
      else json(200, SAMPLES.balances.lfi)(asked, response)
      first = false
    }
    expect((await read()).status).toBe(200)

    world.lfi.asked.length = 0
    world.lfi.answer = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{')
      setTimeout(() => response.socket?.destroy(), 20)
    }
    const cut = await read()
    expect([cut.status, cut.error?.Code]).toEqual([500, 'GenericRecoverableError'])
    expect(world.lfi.asked).toHaveLength(1)
  })
})

describe('a caller that goes away', () => {
  test('takes its call to the LFI with it, and is recorded', async () => {
    const reached = Promise.withResolvers<void>()
    world.lfi.answer = () => reached.resolve()
    const leaving = new AbortController()
    const id = crypto.randomUUID()
    const token = await world.userToken(await world.consentOf({}))
    const gone = world.get('/accounts/acc-1/balances', token, {
      signal: leaving.signal,
      headers: { 'x-fapi-interaction-id': id },
    })
    await reached.promise
    leaving.abort()
    await expect(gone).rejects.toThrow()
    const leftAt = Date.now()
    await world.lfi.asked[0]?.closed
    expect(Date.now() - leftAt).toBeLessThan(300)
    await expect
      .poll(() => world.entries(id))
      .toMatchObject([
        { kind: 'tpp-call', status: 499, errorCode: 'Cancelled' },
        { kind: 'lfi-call', status: null, outcome: 'cancelled' },
      ])
  })
})

describe('callers of the other families that go away', () => {
  /** Asks, and leaves once the LFI has been asked. */
  const leave = async (asking: (how: { signal: AbortSignal; headers: Record<string, string> }) => Promise<unknown>) => {
    const id = crypto.randomUUID()
    const leaving = new AbortController()
    world.lfi.asked.length = 0
    world.lfi.answer = () => leaving.abort()
    await expect(asking({ signal: leaving.signal, headers: { 'x-fapi-interaction-id': id } })).rejects.toThrow()
    return id
  }
  const cancelled = async (id: string) => {
    await world.lfi.asked[0]?.closed
    await expect
      .poll(() => world.entries(id))
      .toMatchObject([
        { kind: 'tpp-call', status: 499 },
        { kind: 'lfi-call', outcome: 'cancelled' },
      ])
  }

  test('take their service call with them', async () => {
    const products = {
      method: 'GET',
      path: '/open-finance/product/v2.1/products',
      scope: 'products',
      as: 'none',
    } as const
    await cancelled(await leave((how) => callService(world, products, undefined, how)))
  })

  test('take their question about a payment and their file with them, but not the payment itself', async () => {
    const payer = createPayer(world)
    const bank = createBank()
    const consent = await paymentConsent(world, schedules().single)
    const ordered = Promise.withResolvers<() => void>()
    const leaving = new AbortController()
    const key = 'gone-before-its-answer'
    world.lfi.answer = (asked, response) => {
      ordered.resolve(() => bank.answer(asked, response))
      leaving.abort()
    }
    await expect(payer.pay(consent, undefined, { key, signal: leaving.signal })).rejects.toThrow()
    ;(await ordered.promise)()
    const id = () => bank.ledger[0]?.id
    await expect.poll(async () => (await world.consents.find(consent.id))?.status, { timeout: 5_000 }).toBe('Consumed')
    expect(bank.ledger).toHaveLength(1)

    const token = await payer.clientToken()
    const as = (how: { headers: Record<string, string> }) => ({
      ...how,
      headers: { ...how.headers, authorization: `Bearer ${token}` },
    })
    await cancelled(await leave((how) => world.call({ ...as(how), path: `${PAY_BASE}/payments/${id()}` })))

    const forFile = await paymentConsent(world, schedules().file)
    const path = `${PAY_BASE}/payment-consents/${forFile.id}/file`
    const upload = { method: 'POST', path, body: FILE }
    const more = { 'content-type': 'text/csv', 'x-idempotency-key': 'file-1' }
    await cancelled(
      await leave((how) => world.call({ ...as(how), ...upload, headers: { ...as(how).headers, ...more } })),
    )
  })
})

describe('how the hub shows itself to the LFI', () => {
  test('with a token of its own for every call', async () => {
    world.lfi.answer = json(200, SAMPLES.balances.lfi)
    await read()
    await read()
    const tokens = world.lfi.asked.map(({ headers }) => /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')
    const verified = await Promise.all(tokens.map((token) => verify(token, () => world.lfiJwk)))
    const [one, two] = verified
    if (!one?.ok || !two?.ok) throw new Error('JWT Auth does not verify')
    expect(one.header).toMatchObject({ alg: 'PS256', typ: 'JOSE', cty: 'json', kid: 'hub-jwt-auth' })
    expect(one.claims).toMatchObject({ iss: 'Hub, the operator', sub: world.hubId, aud: 'aurora-bank' })
    expect(one.claims['exp']).toBe((one.claims['iat'] as number) + 20)
    expect(one.claims['jti']).not.toBe(two.claims['jti'])
  })

  test('with the token that it gave with a payment consent, for payments alone', async () => {
    const payer = createPayer(world)
    const bank = createBank()
    world.lfi.answer = bank.answer
    const consent = await paymentConsent(world, schedules().single)
    const connectToken = createSealedTokens(world.tenant).seal('of-the-consent', consent.id)
    const payment = { authorizers: null, charges: null, exchangeRate: null, connectToken }
    await world.consents.patchByLfi(consent.id, lfiPatch({ payment }), LFI_CALLER)
    expect((await payer.pay(consent)).status).toBe(201)
    expect((await payer.get(`/payments/${bank.ledger[0]?.id}`)).status).toBe(200)
    const shown = world.lfi.asked.map(({ headers }) => headers.authorization)
    expect(shown).toEqual(['Bearer of-the-consent', expect.stringMatching(/^Bearer ey/)])
  })

  test('and asks whether it is there', async () => {
    world.lfi.answer = json(200, { connectionEstablished: true, mtlsStatus: 'established', hostName: 'bank' })
    expect(await world.gateway.hello()).toMatchObject({ ok: true, detail: null })
    expect(world.lfi.asked[0]?.url).toBe('/oc/hello-mtls')
    world.lfi.answer = json(401, {})
    expect(await world.gateway.hello()).toMatchObject({ ok: false, detail: 'answered 401' })
  })
})

describe('other LFIs', () => {
  test('an API key goes as it is', async () => {
    const other = await createWorld({ authentication: 'api-key' })
    try {
      other.lfi.answer = json(200, SAMPLES.balances.lfi)
      await other.get('/accounts/acc-1/balances', await other.userToken(await other.consentOf({})))
      expect(other.lfi.asked[0]?.headers.authorization).toBe('the-api-key')
    } finally {
      await other.close()
    }
  })

  test('nobody at the address of the LFI', async () => {
    const port = await new Promise<number>((ready) => {
      const probe = createServer().listen(0, '127.0.0.1', () => {
        const { port: free } = probe.address() as { port: number }
        probe.close(() => ready(free))
      })
    })
    const other = await createWorld({ lfiUrl: `https://localhost:${port}` })
    try {
      const answer = await other.get('/accounts/acc-1/balances', await other.userToken(await other.consentOf({})))
      expect([answer.status, answer.error?.Code]).toEqual([500, 'GenericRecoverableError'])
      expect(await other.entries(answer.headers['x-fapi-interaction-id'])).toMatchObject([
        { kind: 'tpp-call' },
        { kind: 'lfi-call', outcome: 'unreachable', status: null },
      ])
      expect(await other.gateway.hello()).toMatchObject({ ok: false })
    } finally {
      await other.close()
    }
  })

  test('an LFI whose certificate another authority issued is not asked', async () => {
    const other = await createWorld({ lfiFromRogue: true })
    try {
      const answer = await other.get('/accounts/acc-1/balances', await other.userToken(await other.consentOf({})))
      expect([answer.status, answer.error?.Code]).toEqual([500, 'GenericRecoverableError'])
      expect(other.lfi.asked).toEqual([])
    } finally {
      await other.close()
    }
  })
})

describe('another address of the LFI, set while the hub serves,', () => {
  const VERSIONS = { proposedBy: 'one', approvedBy: 'another', interactionId: null } as const
  const stands = () => world.endpoints.now().find(({ name }) => name === 'ozone-connect')
  const set = (url: string | null) =>
    world.endpoints.set({ name: 'ozone-connect', url, version: stands()?.version ?? -1 }, VERSIONS)
  const good = (label: string): Answering => json(200, { ...SAMPLES.balances.lfi, label })

  test('is where every later call goes; what is under way ends where it began, and nothing fails', async () => {
    const other = await world.anotherLfi()
    const slow: (() => void)[] = []
    other.answer = good('other')
    world.lfi.answer = good('first')
    const token = await world.userToken(await world.consentOf({}))
    const get = () => world.get('/accounts/acc-1/balances', token)
    const statuses: number[] = []
    const stop = new AbortController()
    const caller = async (): Promise<void> => {
      while (!stop.signal.aborted) statuses.push((await get()).status)
    }
    const callers = [caller(), caller(), caller()]
    try {
      await expect.poll(() => world.lfi.asked.length).toBeGreaterThan(10)
      world.lfi.answer = (asked, response) => void slow.push(() => good('first')(asked, response))
      // Those of the callers, and none of them answered yet.
      await expect.poll(() => slow.length).toBe(3)
      await set(other.url)
      const later = await get()
      expect([later.status, other.asked.length]).toEqual([200, 1])
      for (const answer of slow) answer()
      const atFirst = world.lfi.asked.length
      await expect.poll(() => other.asked.length).toBeGreaterThan(20)
      expect(world.lfi.asked.length).toBe(atFirst)

      // Back again, with the former place gone as soon as nothing is under way there.
      world.lfi.answer = good('first')
      await set(null)
      await expect.poll(() => world.lfi.asked.length).toBeGreaterThan(atFirst + 10)
    } finally {
      stop.abort()
      await Promise.all(callers)
      await other.close()
    }
    expect([...new Set(statuses)]).toEqual([200])
    expect(await world.endpoints.history()).toMatchObject([
      { version: 2, before: other.url, after: null, proposedBy: 'one', approvedBy: 'another' },
      { version: 1, before: world.lfi.url, after: other.url },
    ])
  })

  test('is one that the hub may connect to, however its name resolves', async () => {
    await set('https://169.254.169.254/latest')
    const answer = await read()
    expect([answer.status, answer.error?.Code]).toEqual([500, 'GenericRecoverableError'])
    expect(await world.gateway.hello()).toMatchObject({
      ok: false,
      detail: 'unreachable: the hub does not connect there: its address is not a public one',
    })
    await set(null)
    world.lfi.answer = good('first')
    expect((await read()).status).toBe(200)
  })

  test('is not taken where another was set meanwhile, nor by one person alone', async () => {
    const version = stands()?.version ?? -1
    await set(world.lfi.url)
    const ask = { name: 'ozone-connect', url: 'https://late.example', version } as const
    await expect(world.endpoints.set(ask, VERSIONS)).rejects.toThrow(/has changed since this was proposed/)
    const alone = { proposedBy: 'one', approvedBy: 'one', interactionId: null }
    await expect(world.endpoints.set({ ...ask, version: version + 1 }, alone)).rejects.toThrow(/four_eyes/)
    const both = await Promise.allSettled([set('https://one.example'), set('https://two.example')])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await set(null)
    expect(stands()).toMatchObject({ url: world.lfi.url, from: 'file', version: version + 3 })
  })
})
