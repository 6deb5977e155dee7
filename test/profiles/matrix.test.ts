/**
 * What a token is bound to against what is presented with it: every cell with its exact answer, at the token endpoint
 * and at the gateway. A token whose binding is not what is presented is refused. Nothing of it depends on where TLS ends.
 */
import { createPrivateKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer, Call } from '../gateway/support/tpp.ts'
import { type Flow, flowOf, type Sending } from './support/flow.ts'
import { type Json, jwt, newPair, nowSeconds, type Pair, proofFor, signed } from './support/keys.ts'
import { createProfileWorld, type Party, type ProfileWorld, REDIRECT_URI } from './support/world.ts'

const COLUMNS = ['no certificate', 'right certificate', 'wrong certificate', 'DPoP proof', 'both'] as const
type Column = (typeof COLUMNS)[number]
const cellsOf = <Row extends string, Cell>(table: Readonly<Record<Row, Readonly<Record<Column, Cell>>>>) =>
  (Object.keys(table) as Row[]).flatMap((row) => COLUMNS.map((column) => [row, column, table[row][column]] as const))

const PATH =
  '/open-finance/account-information/v2.1/account-access-consents?baseConsentId=6d2b4c1e-5f0a-4c39-9d5e-0a1b2c3d4e5f'

describe.each(['in-process', 'behind-proxy'] as const)('TLS that ends %s', (ends) => {
  let world: ProfileWorld
  let flow: Flow
  let key: Pair
  beforeAll(async () => {
    world = await createProfileWorld(undefined, { ends })
    flow = flowOf(world)
    key = newPair('ES256')
  })
  afterAll(() => world?.close())

  /** What is presented beside the token; the proof is for /token. */
  async function presented(column: Column, by: Party): Promise<Sending> {
    const withProof = async () => await flow.freshProof(world.parties.dpop, key, '/token')
    switch (column) {
      case 'no certificate':
        return {}
      case 'right certificate':
        return { certificate: by.certificate }
      case 'wrong certificate':
        return { certificate: world.parties.otherUae.certificate }
      case 'DPoP proof':
        return { dpop: await withProof() }
      case 'both':
        return { certificate: by.certificate, dpop: await withProof() }
    }
  }

  const NO_CERTIFICATE = [401, 'invalid_client', /certificate is required/] as const
  const FOREIGN_CERTIFICATE = [401, 'invalid_client', /./] as const
  const NO_PROOF = [400, 'invalid_dpop_proof', /proof is required/] as const
  const NO_DPOP = [400, 'invalid_request', /does not use DPoP/] as const

  describe('at the token endpoint', () => {
    type Cell = readonly [status: number, error: string, why: RegExp] | 'Bearer' | 'DPoP'
    const boundToCertificate = {
      'no certificate': NO_CERTIFICATE,
      'right certificate': 'Bearer',
      'wrong certificate': FOREIGN_CERTIFICATE,
      'DPoP proof': NO_CERTIFICATE,
      both: NO_DPOP,
    } as const
    const boundToKey = {
      'no certificate': NO_PROOF,
      'right certificate': NO_PROOF,
      'wrong certificate': FOREIGN_CERTIFICATE,
      'DPoP proof': 'DPoP',
      both: 'DPoP',
    } as const
    const TABLE: Readonly<Record<string, Readonly<Record<Column, Cell>>>> = {
      // RFC 9449 10: the key of a code may be left open until it is redeemed.
      'no cnf: a code that names no key': boundToKey,
      'x5t#S256: a refresh token of a client bound to its certificate': boundToCertificate,
      'jkt: a code that was pushed with its key': boundToKey,
      'x5t#S256 of a uae client: a refresh token': boundToCertificate,
      // RFC 9449 5: a refresh token is bound to the client, which proves whatever key it has now.
      'jkt: a refresh token of a client bound to its key': boundToKey,
    }
    const PARTIES = { x5t: 'mtls', 'x5t#S256 of a uae': 'uae' } as const

    const shown = (row: string): { readonly by: Party; readonly form: () => Promise<Record<string, string>> } => {
      const by = row.startsWith('x5t#S256 of a uae')
        ? world.parties.uae
        : row.startsWith('x5t')
          ? world.parties[PARTIES.x5t]
          : world.parties.dpop
      return {
        by,
        form: async () => {
          const asked = flow.request(row.includes('names no key') ? {} : { dpop_jkt: undefined })
          const how = await pushing(by, row)
          const code = await codeOf(by, asked, how)
          if (!row.includes('refresh token')) return code
          const redeemed = await flow.token(
            by,
            code,
            by.setting?.senderConstraint === 'dpop' ? { dpop: await proof() } : { certificate: by.certificate },
          )
          expect(redeemed.answer.status, redeemed.answer.text).toBe(200)
          const { refresh_token: refreshToken } = redeemed.answer.json() as Record<string, string>
          return { grant_type: 'refresh_token', refresh_token: refreshToken ?? '' }
        },
      }
    }
    const proof = () => flow.freshProof(world.parties.dpop, key, '/token')
    const pushing = async (by: Party, row: string): Promise<Sending> => {
      if (by.setting?.senderConstraint !== 'dpop') return { certificate: by.certificate }
      return row.includes('pushed with its key') ? { dpop: await flow.freshProof(by, key, '/par') } : {}
    }
    const codeOf = async (by: Party, asked: ReturnType<Flow['request']>, how: Sending) => {
      const { answer } = await flow.push(by, asked.params, how)
      expect(answer.status, answer.text).toBe(201)
      const { request_uri: uri } = answer.json() as { readonly request_uri: string }
      const back = await flow.agree(by, uri, asked.consentId)
      return {
        grant_type: 'authorization_code',
        code: back.searchParams.get('code') ?? '',
        redirect_uri: REDIRECT_URI,
        code_verifier: asked.verifier,
      }
    }

    test.each(cellsOf(TABLE))('%s × %s', async (row, column, expected) => {
      const { by, form } = shown(row)
      const what = await form()
      const { answer } = await flow.token(by, what, await presented(column, by))
      if (typeof expected === 'string') {
        expect(answer.status, answer.text).toBe(200)
        expect(answer.json()).toMatchObject({ token_type: expected })
        const { access_token: accessToken } = answer.json() as { readonly access_token: string }
        const bound = expected === 'DPoP' ? ['jkt'] : ['x5t#S256']
        expect(Object.keys(cnfOf(accessToken))).toEqual(bound)
        return
      }
      const [status, error, why] = expected
      const told = answer.json() as { readonly error: string; readonly error_description: string }
      expect([answer.status, told.error], answer.text).toEqual([status, error])
      expect(told.error_description).toMatch(why)
      // Nothing was used up: what was refused is good for who presents the right thing.
      const right = await presented(by.setting?.senderConstraint === 'dpop' ? 'DPoP proof' : 'right certificate', by)
      expect((await flow.token(by, what, right)).answer.status).toBe(200)
    })

    test('a code that was pushed with one key is not redeemed with another', async () => {
      const by = world.parties.dpop
      const code = await codeOf(by, flow.request(), { dpop: await flow.freshProof(by, key, '/par') })
      const other = newPair('ES256')
      const { answer } = await flow.token(by, code, { dpop: await flow.freshProof(by, other, '/token') })
      expect([answer.status, (answer.json() as Json)['error']]).toEqual([400, 'invalid_grant'])
      expect(answer.text).not.toContain('access_token')
    })
  })

  const cnfOf = (token: string): Json =>
    (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { readonly cnf: Json }).cnf

  describe('at the gateway', () => {
    const refused = (scheme: 'Bearer' | 'DPoP', why: RegExp) => ({ scheme, why })
    type Cell = ReturnType<typeof refused> | 'served'
    const UNBOUND = /not bound to a client certificate or key/
    const AS_BEARER = /bound to a client certificate: send it as Bearer, without a DPoP proof/
    const AS_DPOP = refused('Bearer', /bound to a key: send it as DPoP, with a proof/)
    const TABLE: Readonly<Record<'no cnf' | 'x5t#S256' | 'jkt', Readonly<Record<Column, Cell>>>> = {
      'no cnf': {
        'no certificate': refused('Bearer', UNBOUND),
        'right certificate': refused('Bearer', UNBOUND),
        'wrong certificate': refused('Bearer', UNBOUND),
        'DPoP proof': refused('DPoP', UNBOUND),
        both: refused('DPoP', UNBOUND),
      },
      'x5t#S256': {
        'no certificate': refused('Bearer', /certificate is required/),
        'right certificate': 'served',
        'wrong certificate': refused('Bearer', /bound to another client certificate/),
        'DPoP proof': refused('DPoP', AS_BEARER),
        both: refused('DPoP', AS_BEARER),
      },
      jkt: {
        'no certificate': AS_DPOP,
        'right certificate': AS_DPOP,
        'wrong certificate': AS_DPOP,
        'DPoP proof': 'served',
        both: 'served',
      },
    }
    type Row = keyof typeof TABLE
    const tokens = new Map<Row, { readonly by: Party; readonly text: string }>()
    beforeAll(async () => {
      const own = async (by: Party, how: Sending) => {
        const { answer } = await flow.token(by, { grant_type: 'client_credentials', scope: 'accounts' }, how)
        return { by, text: String((answer.json() as Json)['access_token']) }
      }
      const { mtls, dpop } = world.parties
      tokens.set('x5t#S256', await own(mtls, { certificate: mtls.certificate }))
      tokens.set('jkt', await own(dpop, { dpop: await flow.freshProof(dpop, key, '/token') }))
      tokens.set('no cnf', { by: dpop, text: forged(world, dpop, undefined) })
    })

    const call = async (text: string, by: Party, column: Column, scheme?: 'Bearer'): Promise<Answer> => {
      const withProof = column === 'DPoP proof' || column === 'both'
      const certificates: Readonly<Record<Column, Call['certificate']>> = {
        'no certificate': null,
        'right certificate': by.certificate,
        'wrong certificate': world.parties.otherUae.certificate,
        'DPoP proof': null,
        both: by.certificate,
      }
      const how = { certificate: certificates[column] }
      const proof = withProof ? { dpop: await proofAt(world, text, key) } : {}
      const authorization = `${scheme ?? (withProof ? 'DPoP' : 'Bearer')} ${text}`
      return world.call('rs', { path: PATH, ...how, headers: { authorization, ...proof } } as Call)
    }

    test.each(cellsOf(TABLE))('%s × %s', async (row, column, expected) => {
      const { by, text } = tokens.get(row) ?? { by: world.parties.dpop, text: '' }
      expectAnswer(await call(text, by, column), expected)
    })

    test.each([
      'DPoP proof',
      'both',
    ] as const)('a proof beside a token sent as Bearer does not help: %s', async (column) => {
      const { by, text } = tokens.get('x5t#S256') ?? { by: world.parties.mtls, text: '' }
      expectAnswer(await call(text, by, column, 'Bearer'), refused('Bearer', AS_BEARER))
      const other = tokens.get('jkt') ?? { by: world.parties.dpop, text: '' }
      expectAnswer(await call(other.text, other.by, column, 'Bearer'), AS_DPOP)
    })

    test('a token with both bindings, or of the kind that is not its client’s, is nobody’s', async () => {
      const { mtls, dpop } = world.parties
      const { thumbprint } = mtls.certificate
      const both = forged(world, mtls, { 'x5t#S256': thumbprint, jkt: thumbprint })
      expectAnswer(await call(both, mtls, 'right certificate'), refused('Bearer', UNBOUND))
      const otherKind = forged(world, dpop, { 'x5t#S256': dpop.certificate.thumbprint })
      expectAnswer(
        await call(otherKind, dpop, 'right certificate'),
        refused('Bearer', /not bound in the way that is set/),
      )
    })

    test('a certificate that need not be shown is judged when it is', async () => {
      const { by, text } = tokens.get('jkt') ?? { by: world.parties.dpop, text: '' }
      const rogue = await world.rogue.issue({ O: 'Wadi Money', OU: by.organisationId, CN: by.clientId })
      for (const [certificate, why] of [
        [world.parties.otherUae.certificate, /not of the client of the access token/],
        [rogue, /not issued by the trust framework/],
      ] as const) {
        const headers = { authorization: `DPoP ${text}`, dpop: await proofAt(world, text, key) }
        expectAnswer(await world.call('rs', { path: PATH, certificate, headers }), refused('DPoP', why))
      }
    })

    function expectAnswer(answer: Answer, expected: Cell): void {
      expect(answer.status, String(answer.headers['www-authenticate'])).toBe(expected === 'served' ? 200 : 401)
      if (expected === 'served') return
      const challenge = String(answer.headers['www-authenticate'])
      expect(challenge).toMatch(new RegExp(`^${expected.scheme} error="invalid_token"`))
      expect(challenge).toMatch(expected.why)
      expect(answer.text).toBe('')
    }
  })
})

/** Signed with the hub's own key, to reach what the hub would never issue. */
function forged({ config, doors, issuer }: ProfileWorld, by: Party, cnf: Json | undefined): string {
  const [hubKey] = config.tenants[0]?.keys.signing ?? []
  if (hubKey === undefined) throw new Error('the hub has no key')
  const claims = {
    iss: issuer,
    aud: doors.rs.origin,
    sub: by.clientId,
    client_id: by.clientId,
    scope: 'accounts',
    iat: nowSeconds(),
    exp: nowSeconds() + 300,
    jti: crypto.randomUUID(),
    cnf,
  }
  return jwt({ alg: 'PS256', typ: 'at+jwt', kid: hubKey.kid }, claims, createPrivateKey(hubKey.key.reveal()))
}

async function proofAt(at: ProfileWorld, token: string, pair: Pair): Promise<string> {
  const to = { method: 'GET', url: `${at.doors.rs.origin}${PATH}`, token }
  const first = await at.call('rs', { path: PATH, headers: { authorization: `DPoP ${token}`, dpop: 'x' } })
  return signed(proofFor(pair, { ...to, nonce: String(first.headers['dpop-nonce']) }))
}
