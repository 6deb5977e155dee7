/** Confirmation of payee: discovery, and what is told of the owners that the LFI names. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { undeclared } from './support/declared.ts'
import { json } from './support/outside.ts'
import { bodyOf, callService, errorOf } from './support/signed.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(async () => {
  expect(await undeclared(world)).toEqual([])
  await world.close()
})
beforeEach(() => {
  world.lfi.asked.length = 0
})

const PAYEE_BASE = '/open-finance/confirmation-of-payee/v2.1'
const at = (path: string) =>
  ({ method: 'POST', path: `${PAYEE_BASE}${path}`, scope: 'confirmation-of-payee', as: 'jwt' }) as const
const OURS = 'AE070331234567890123456'
/** Valid, of a bank that nobody here knows. */
const THEIRS = 'AE460090000000123456789'
const account = (Identification: string, more: object = {}) => ({
  Data: { SchemeName: 'IBAN', Identification, ...more },
})
const ask = (Name: object, iban = OURS) => callService(world, at('/confirmation'), account(iban, { Name }))
const person = (fullName: string, more: object = {}) => ({ verifiedClaims: [{ claims: { fullName, ...more } }] })
const company = (name: string) => ({ verifiedClaims: [{ organisationClaims: { name } }] })
const owners = (...all: object[]) =>
  json(200, { data: all.map((owner, id) => ({ id: `cus-${id}`, ...owner })), meta: {} })

describe('discovery', () => {
  test('leads to the hub of the bank, and asks no LFI', async () => {
    const answer = await callService(world, at('/discovery'), account(OURS))
    expect(answer.status).toBe(200)
    const { origin } = world.tenant.listeners.rs
    expect(bodyOf(answer)).toEqual({
      Data: {
        DiscoveryEndpointUrl: `${world.tenant.listeners.auth.origin}/.well-known/openid-configuration`,
        ResourceServerUrl: `${origin}${PAYEE_BASE}/confirmation`,
      },
      Links: { Self: `${origin}${PAYEE_BASE}/discovery` },
      Meta: {},
    })
    expect(world.lfi.asked).toEqual([])
  })

  test('of a bank that nobody knows is a 404', async () => {
    const answer = await callService(world, at('/discovery'), account(THEIRS))
    expect([answer.status, answer.text]).toEqual([404, ''])
  })
})

describe.each(['/discovery', '/confirmation'])('%s', (path) => {
  const more = path === '/confirmation' ? { Name: { FullName: 'Layla' } } : {}
  test.each([
    ['another digit', 'AE070331234567890123457'],
    ['two digits changed over', 'AE070331234567890123465'],
    ['another country', 'GB33BUKB20201555555555'],
    ['small letters', 'ae070331234567890123456'],
    ['blanks', 'AE07 0331 2345 6789 0123 456'],
    ['a digit less', 'AE07033123456789012345'],
  ])('refuses an account number with %s', async (_what, iban) => {
    const answer = await callService(world, at(path), account(iban, more))
    expect([answer.status, errorOf(answer).Code, errorOf(answer).Path]).toEqual([
      400,
      'Body.InvalidFormat',
      'Data.Identification',
    ])
    expect(answer.text).not.toContain(iban)
    expect(world.lfi.asked).toEqual([])
  })
  test('is a POST of a signed body', async () => {
    expect((await callService(world, { ...at(path), method: 'GET', as: 'none' }, null)).status).toBe(405)
    expect((await callService(world, { ...at(path), as: 'json' }, account(OURS, more))).status).toBe(415)
  })
  test('needs its own scope, not that of payments', async () => {
    const token = await world.clientToken(world.one, { scope: 'openid payments' })
    const answer = await callService(world, at(path), account(OURS, more), { token })
    expect([answer.status, errorOf(answer).Code]).toEqual([403, 'AccessToken.InvalidScope'])
  })
})

describe('confirmation', () => {
  test.each([
    ['the name in other letters', { FullName: 'ليلى المنصوري' }, [person('Layla Al Mansoori')], 'Yes', undefined],
    [
      'the name of the second owner',
      { FullName: 'Omar Haddad' },
      [person('Layla Haddad'), person('Umar Haddad')],
      'Yes',
      undefined,
    ],
    [
      'its parts, where the full name is longer',
      { FullName: 'Layla Haddad' },
      [person('Layla Ahmed Haddad', { givenName: 'Layla', familyName: 'Haddad' })],
      'Yes',
      undefined,
    ],
    [
      'a part of the name',
      { FullName: 'Layla Haddad' },
      [person('Layla Ahmed Haddad')],
      'Partial',
      'L**** A**** H*****',
    ],
    ['another name', { FullName: 'Sara Khoury' }, [person('Layla Haddad')], 'No', undefined],
    ['a company', { BusinessName: 'Falcon Trading LLC' }, [company('Falcon Trading L.L.C.')], 'Yes', undefined],
    [
      'a company of another legal form',
      { BusinessName: 'Falcon Trading LLC' },
      [company('Falcon Trading FZE')],
      'Partial',
      'F***** T****** F**',
    ],
    [
      'a person’s name that is a company’s',
      { FullName: 'Falcon Trading' },
      [company('Falcon Trading')],
      'Partial',
      'F***** T******',
    ],
  ])('%s', async (_what, name, held, indicator, masked) => {
    world.lfi.answer = owners(...held)
    const answer = await ask(name)
    expect(answer.status).toBe(200)
    const Data = {
      NameMatchIndicator: `ConfirmationOfPayee.${indicator}`,
      ...(masked === undefined ? {} : { MaskedName: masked }),
    }
    expect(bodyOf(answer)).toMatchObject({ Data, Meta: {} })
    expect(bodyOf(answer)['Data']).toEqual(Data)
    const { document, operationId } = {
      document: 'confirmation-of-payee',
      operationId: 'ConfirmationOfPayeeConfirmation_signedConfirmationRequest',
    } as const
    expect(world.registry.response(document, operationId, 200)?.(bodyOf(answer))).toEqual([])
  })

  test('the LFI gets account and name in its own spelling, and no header of a user', async () => {
    world.lfi.answer = owners(person('Layla Haddad'))
    await ask({ FullName: 'Layla Haddad', GivenName: 'Layla', LastName: 'Haddad' })
    expect(JSON.parse(world.lfi.asked[0]?.body ?? '')).toEqual({
      data: {
        account: {
          schemeName: 'IBAN',
          identification: OURS,
          name: { fullName: 'Layla Haddad', firstName: 'Layla', lastName: 'Haddad' },
        },
      },
    })
    expect(Object.keys(world.lfi.asked[0]?.headers ?? {})).not.toContain('o3-consent-id')
    expect(Object.keys(world.lfi.asked[0]?.headers ?? {})).not.toContain('o3-psu-identifier')
  })

  test('an account that the LFI does not know has no content', async () => {
    world.lfi.answer = json(200, { data: [], meta: {} })
    const answer = await ask({ FullName: 'Layla Haddad' })
    expect([answer.status, answer.text]).toEqual([204, ''])
    const [call] = await world.entries(answer.headers['x-fapi-interaction-id'])
    expect(call).toMatchObject({ status: 204, records: null })
  })

  test('nothing of the owner is in the log or in a mismatch', async () => {
    world.lfi.answer = owners(person('Layla Haddad', { emiratesId: '784199012345678', birthDate: '1990-01-02' }))
    const answer = await ask({ FullName: 'Sara Khoury' })
    expect(answer.text + JSON.stringify(bodyOf(answer))).not.toMatch(/Layla|Haddad|784199|1990-01/)
    const entries = await world.entries(answer.headers['x-fapi-interaction-id'])
    expect(JSON.stringify(entries)).not.toMatch(/Layla|Haddad|Khoury|784199|AE07033/)
  })
})
