/** Which texts are tokens of the hub, and with what they may be used at userinfo: one step away from right each. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { Provider } from 'oidc-provider'
import { describe, expect, test } from 'vitest'
import { createIssuedTokens } from '../../../src/auth-server/services/issued-tokens.ts'
import { type UserinfoAsk, userinfo } from '../../../src/auth-server/services/userinfo.ts'
import { epochSeconds, toInstant } from '../../../src/clock.ts'
import type { TenantConfig } from '../../../src/config.ts'
import type { Consent, ConsentStore } from '../../../src/consent-store/index.ts'
import { loadKey, publicJwk, sign } from '../../../src/jose.ts'
import type { Client, Participants } from '../../../src/participants/index.ts'
import { Secret } from '../../../src/secret.ts'
import type { PeerCertificate } from '../../../src/tls.ts'
import { consentIn } from '../../unit/consent-store/support.ts'

const newKey = (kid: string) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return loadKey({ kid, key: new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string) })
}
const hub = newKey('hub')
const clock = { now: () => toInstant('2026-03-01T08:00:00Z') }
const now = epochSeconds(clock.now())
const [issuer, audience] = ['https://auth.example', 'https://rs.example']
const base = consentIn('Authorized')
const [consent, grantId] = [{ ...base, grantId: 'grant' } as Consent, 'grant']
const { clientId, organisationId } = consent
const thumbprint = 'a'.repeat(43)

const claims = () => ({
  iss: issuer,
  aud: audience,
  exp: now + 600,
  iat: now,
  jti: randomUUID(),
  sub: 'somebody',
  client_id: clientId,
  scope: 'openid accounts',
  cnf: { 'x5t#S256': thumbprint },
  consent_id: consent.id,
  grant_id: grantId,
})
type Claims = Record<string, unknown>
const signed = (change: (claims: Claims) => void = () => {}, typ = 'at+jwt', key = hub) => {
  const changed: Claims = claims()
  change(changed)
  return sign(key, changed, { typ })
}

const own: Client = { clientId, organisationId, status: 'active' } as Client
type Around = { readonly client?: Client | null; readonly stored?: Consent | null; readonly listed?: readonly string[] }

function tokensIn({ client = own, stored = consent, listed = [thumbprint] }: Around = {}) {
  const participants = {
    client: async () => client,
    refresh: async () => client,
    certificateStatus: (_client: Client, each: string) => (listed.includes(each) ? 'active' : 'revoked'),
  } as unknown as Participants
  const provider = {
    RefreshToken: { find: async () => undefined },
    Grant: { find: async () => ({ clientId, accountId: 'somebody', rar: [{ idTokenClaims: { branch: 'x' } }] }) },
  } as unknown as Provider
  const consents = { find: async () => stored } as unknown as ConsentStore
  const keyOf = async (kid: string) => (kid === hub.kid ? publicJwk(hub, 'sig') : null)
  const tokens = createIssuedTokens({ issuer, audience, provider, consents, participants, clock, keyOf })
  return { tokens, participants, provider }
}

describe('a text that is presented as an access token', () => {
  test('is read when it is one', async () => {
    expect(await tokensIn().tokens.read(await signed())).toMatchObject({
      kind: 'user-access',
      clientId,
      authorization: { consentId: consent.id, grantId },
    })
    const clientToken = await signed((each) => {
      delete each['consent_id']
      delete each['grant_id']
    })
    expect(await tokensIn().tokens.read(clientToken)).toMatchObject({ kind: 'client-access', authorization: null })
  })

  test.each<[string, (claims: Claims) => void]>([
    ['another issuer', (each) => void Object.assign(each, { iss: 'https://other.example' })],
    ['another audience', (each) => void Object.assign(each, { aud: clientId })],
    ['several audiences', (each) => void Object.assign(each, { aud: [audience, clientId] })],
    ['an end that has come', (each) => void Object.assign(each, { exp: now })],
    ['no end', (each) => void delete each['exp']],
    ['no beginning', (each) => void delete each['iat']],
    ['no jti', (each) => void delete each['jti']],
    ['no client', (each) => void delete each['client_id']],
    ['no scope', (each) => void delete each['scope']],
    ['a consent without a grant', (each) => void delete each['grant_id']],
    ['a grant without a consent', (each) => void delete each['consent_id']],
    ['a consent that is no id', (each) => void Object.assign(each, { consent_id: 'x' })],
  ])('is none with %s', async (_name, change) => {
    expect(await tokensIn().tokens.read(await signed(change))).toBeNull()
  })

  test('is none of another type, or by another key', async () => {
    expect(await tokensIn().tokens.read(await signed(() => {}, 'JWT'))).toBeNull()
    expect(await tokensIn().tokens.read(await signed(() => {}, 'token-introspection+jwt'))).toBeNull()
    expect(await tokensIn().tokens.read(await signed(() => {}, 'at+jwt', newKey('hub')))).toBeNull()
    expect(await tokensIn().tokens.read(await signed(() => {}, 'at+jwt', newKey('other')))).toBeNull()
  })
})

describe('a token stands', () => {
  const standing = async (around: Around) => {
    const { tokens } = tokensIn(around)
    const token = await tokens.read(await signed((each) => void Object.assign(each, { jti: 'mine' })))
    if (token === null) throw new Error('it is a token')
    return (await tokens.standing(token)).stands
  }

  test.each<[string, Around, boolean]>([
    ['while its client and its consent do', {}, true],
    ['not for a client that is blocked', { client: { ...own, status: 'blocked' } }, false],
    ['not for a client that waits for activation', { client: { ...own, status: 'inactive' } }, false],
    ['not for a client that is gone', { client: null }, false],
    ['not without its consent', { stored: null }, false],
    ["not under another client's consent", { stored: { ...consent, clientId: randomUUID() } as Consent }, false],
    ['not under another grant', { stored: { ...consent, grantId: 'later' } as Consent }, false],
    ['not while the consent is suspended', { stored: { ...consent, status: 'Suspended' } as Consent }, false],
    ['not after it was revoked', { stored: { ...consent, revokedTokens: ['mine'] } }, false],
    ['when another was revoked', { stored: { ...consent, revokedTokens: ['other'] } }, true],
    ["when its jti is that of a client's own token", { client: { ...own, revokedTokens: ['mine'] } }, true],
  ])('%s', async (_name, around, stands) => {
    expect(await standing(around)).toBe(stands)
  })
})

describe('userinfo over a certificate', () => {
  const peer = { thumbprint, commonName: clientId, organisationId, trusted: true } as unknown as PeerCertificate
  type Call = {
    readonly around?: Around
    readonly peer?: PeerCertificate | null
    readonly presented?: Partial<UserinfoAsk['presented']>
    readonly cnf?: object
    readonly profiles?: TenantConfig['profiles']
  }
  const ask = async (call: Call = {}) => {
    const token = await signed((each) => void Object.assign(each, call.cnf === undefined ? {} : { cnf: call.cnf }))
    const { profiles } = call
    const tenant = { ...(profiles === undefined ? {} : { profiles }) } as TenantConfig
    const deps = { ...tokensIn(call.around), tenant, dpop: null, issuer, clock }
    const presented = { scheme: 'bearer' as const, token, proof: undefined, ...call.presented }
    const asked = {
      presented,
      peer: call.peer === undefined ? peer : call.peer,
      method: 'GET',
      url: 'https://as.example/userinfo',
    }
    return userinfo(deps, asked, () => {}).then(
      (found) => found.claims,
      (fault: { readonly error: string; readonly message: string }) => [fault.error, fault.message],
    )
  }

  test('is answered to the holder of the token', async () => {
    expect(await ask()).toEqual({ sub: 'somebody', branch: 'x' })
  })

  const second = 'b'.repeat(43)
  test.each<[string, Call, RegExp]>([
    // Of the same client, as the directory lists it.
    [
      'another certificate of the client',
      { peer: { ...peer, thumbprint: second } as PeerCertificate, around: { listed: [thumbprint, second] } },
      /not bound to this/,
    ],
    ['the certificate under another name', { peer: { ...peer, commonName: randomUUID() } }, /another application/],
    ['the certificate of another organisation', { peer: { ...peer, organisationId: null } }, /another application/],
    ['a certificate that the directory has revoked', { around: { listed: [] } }, /revoked/],
    ['no certificate', { peer: null }, /not bound to this/],
    ['a token bound to nothing', { cnf: {} }, /not bound in the way/],
    ['a token bound to a key', { cnf: { jkt: thumbprint } }, /not bound in the way/],
    ['a token bound to both', { cnf: { 'x5t#S256': thumbprint, jkt: thumbprint } }, /not bound in the way/],
    ['the token sent as DPoP', { presented: { scheme: 'dpop' } }, /must be sent as Bearer/],
    ['a proof beside it', { presented: { proof: 'x.y.z' } }, /must be sent as Bearer/],
  ])('is refused with %s', async (_name, call, reason) => {
    expect(await ask(call)).toEqual(['invalid_token', expect.stringMatching(reason)])
  })
})
