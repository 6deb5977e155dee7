/** What comes on top where tokens are bound to keys: RFC 9449 as FAPI 2.0 uses it. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import type { Json } from '../auth-server/support/jws.ts'
import { type Draft, now, type Push } from '../auth-server/support/tpp.ts'
import type { Answer } from '../auth-server/support/wire.ts'
import { exchange, lodge, redeem, toCode, toTokens } from './flow.ts'
import { modules, SP } from './module.ts'
import { createProofKey, draftProof, hashOf, type Proof, type ProofKey, signProof } from './proof.ts'
import { expectNoSpoils, expectNothingLodged, expectRefused, type Refusal } from './refusals.ts'
import type { Reading } from './speaker.ts'
import type { Suite } from './suite.ts'

const MISMATCH: Refusal = { status: [400, 401], errors: ['invalid_grant', 'invalid_dpop_proof', 'invalid_request'] }
const TEN_SECONDS = 10
const HOUR_SECONDS = 3_600

/** A proof of that key on this request, with the nonce that the server has last asked for. */
function withProof<D extends Draft>(suite: Suite, draft: D, key: ProofKey): D {
  const nonce = suite.nonceOf(draft.url)
  const asked = { method: draft.method, url: draft.url, ...(nonce === undefined ? {} : { nonce }) }
  draft.headers['dpop'] = signProof(draftProof(key, asked))
  return draft
}
const naming = (key: ProofKey) => (push: Push) => Object.assign(push.request.claims, { dpop_jkt: key.thumbprint })

/** The code is bound to the application's key; a token with another is refused, and with the right one issued. */
async function boundCode(suite: Suite, change: (push: Push, key: ProofKey) => void): Promise<void> {
  await toTokens(suite)
  const key = suite.proofKey(suite.first.clientId)
  const coded = await toCode(suite, { change: (push) => change(push, key) })
  expectRefused(await suite.send(withProof(suite, exchange(coded), createProofKey())), MISMATCH)
  await redeem(suite, coded)
}

/** Proofs that are unusual and right. */
const accepted = (change: (proof: Proof) => void) => async (suite: Suite) => {
  const { by, accessToken } = await toTokens(suite)
  const { status, text } = await suite.read(by, accessToken, { proof: change })
  assert.equal(status, 200, `the proof is accepted: ${text}`)
}

const claim = (name: string, value: unknown) => (proof: Proof) => {
  if (value === undefined) delete proof.claims[name]
  else proof.claims[name] = value
}
const header = (name: string, value: unknown) => (proof: Proof) => {
  if (value === undefined) delete proof.header[name]
  else proof.header[name] = value
}
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const withRsa = (alg: string) => (proof: Proof) => {
  Object.assign(proof, {
    key: rsa.privateKey,
    header: { ...proof.header, alg, jwk: rsa.publicKey.export({ format: 'jwk' }) },
  })
}
const shoutedHost = (proof: Proof) => {
  const { protocol, host, pathname } = new URL(String(proof.claims['htu']))
  proof.claims['htu'] = `${protocol.toUpperCase()}//${host.toUpperCase()}${pathname}`
}

/** One step away from a good request each; refused with 401 and a reason. */
const REFUSED: readonly (readonly [fault: string, how: Reading])[] = [
  ['two proofs', { present: (proof, another) => [proof, another()] }],
  ['no JWT', { present: () => 'not.a.proof' }],
  ['no proof', { present: () => null }],
  ['as Bearer, with a proof', { scheme: 'Bearer' }],
  ['as Bearer, without', { scheme: 'Bearer', present: () => null }],
  ...['typ', 'alg', 'jwk'].map((name) => [`no ${name}`, { proof: header(name, undefined) }] as const),
  ...['jti', 'htm', 'htu', 'iat', 'ath'].map((name) => [`no ${name}`, { proof: claim(name, undefined) }] as const),
  ['typ JWT', { proof: header('typ', 'JWT') }],
  ['alg RS256', { proof: withRsa('RS256') }],
  ['alg none', { proof: header('alg', 'none') }],
  [
    'a damaged signature',
    {
      proof: (proof) => {
        proof.damage = (text) => `${text.slice(0, -10)}${text.at(-10) === 'A' ? 'B' : 'A'}${text.slice(-9)}`
      },
    },
  ],
  [
    'a private key in the header',
    {
      proof: (proof) =>
        header('jwk', { ...(proof.header['jwk'] as Json), ...proof.key.export({ format: 'jwk' }) })(proof),
    },
  ],
  ['another method', { proof: claim('htm', 'POST') }],
  ['another address', { proof: claim('htu', 'https://rs.other.example/accounts') }],
  ['an hour ago', { proof: (proof) => claim('iat', now() - HOUR_SECONDS)(proof) }],
  ['in an hour', { proof: (proof) => claim('iat', now() + HOUR_SECONDS)(proof) }],
  ['of another token', { proof: claim('ath', hashOf('another')) }],
  [
    'of another key',
    {
      proof: (proof) => {
        const { key, jwk } = createProofKey()
        Object.assign(proof, { key, header: { ...proof.header, jwk } })
      },
    },
  ],
]

function expectUnauthorized(answer: Answer, fault: string): void {
  assert.ok([400, 401].includes(answer.status), `${fault} is answered ${answer.status}`)
  if (answer.status === 401) {
    assert.match(
      answer.headers['www-authenticate'] ?? '',
      /error="(?:invalid_token|invalid_dpop_proof|use_dpop_nonce)"/,
    )
  }
  assert.equal(answer.json['Data'], undefined, 'no data leaks')
  expectNoSpoils(answer)
}

export const DPOP = modules('DPoP', {
  'check-dpop-proof-nbf-exp': {
    requirements: SP('5.3.2.1-4'),
    reach: 'tokens',
    run: async (suite) => {
      await accepted((proof) => Object.assign(proof.claims, { nbf: now() - 5, exp: now() + 60 }))(suite)
      const { by, accessToken } = await toTokens(suite)
      expectUnauthorized(await suite.read(by, accessToken, { proof: claim('exp', now() - HOUR_SECONDS) }), 'exp past')
      expectUnauthorized(await suite.read(by, accessToken, { proof: claim('nbf', now() + HOUR_SECONDS) }), 'nbf ahead')
    },
  },
  'ensure-dpopproof-with-iat-10seconds-before-succeeds': {
    requirements: SP('5.3.2.1-13'),
    reach: 'tokens',
    run: accepted((proof) => claim('iat', now() - TEN_SECONDS)(proof)),
  },
  'ensure-dpopproof-with-iat-10seconds-after-succeeds': {
    requirements: SP('5.3.2.1-13'),
    reach: 'tokens',
    run: accepted((proof) => claim('iat', now() + TEN_SECONDS)(proof)),
  },
  'ensure-mismatched-dpop-jkt-fails': {
    requirements: SP('5.3.2.1-4'),
    reach: 'tokens',
    run: async (suite) => {
      await toTokens(suite)
      await lodge(suite, { change: (push) => naming(suite.proofKey(suite.first.clientId))(push) })
      const push = suite.first.push()
      naming(createProofKey())(push)
      expectRefused(await suite.send(withProof(suite, push, suite.proofKey(suite.first.clientId))), MISMATCH)
      await expectNothingLodged(suite, push)
    },
  },
  'ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt': {
    requirements: SP('5.3.2.1-4'),
    reach: 'tokens',
    run: (suite) => boundCode(suite, (push, key) => withProof(suite, push, key)),
  },
  'ensure-token-endpoint-fails-with-mismatched-dpop-jkt': {
    requirements: SP('5.3.2.1-4'),
    reach: 'tokens',
    run: (suite) => boundCode(suite, (push, key) => naming(key)(push)),
  },
  'ensure-dpopproof-at-par-endpoint-binding-success': {
    requirements: SP('5.3.2.1-4'),
    reach: 'tokens',
    run: async (suite) => {
      await toTokens(suite)
      const key = suite.proofKey(suite.first.clientId)
      await toTokens(suite, { change: (push) => withProof(suite, push, key) })
    },
  },
  'ensure-dpop-auth-code-binding-success': {
    requirements: SP('5.3.2.1-4'),
    reach: 'tokens',
    run: async (suite) => void (await toTokens(suite, { change: naming(suite.proofKey(suite.first.clientId)) })),
  },
  'dpop-negative-tests': {
    requirements: SP('5.3.2.1-4', '5.3.4-2'),
    reach: 'tokens',
    run: async (suite) => {
      const { by, accessToken } = await toTokens(suite)
      const good = async (how?: Reading) => assert.equal((await suite.read(by, accessToken, how)).status, 200)
      await good({ proof: claim('something_else', { nobody: 'knows' }) })
      await good({ proof: shoutedHost })
      for (const [fault, how] of REFUSED) expectUnauthorized(await suite.read(by, accessToken, how), fault)
      let used = ''
      await good({
        present: (proof) => {
          used = proof
          return proof
        },
      })
      expectUnauthorized(await suite.read(by, accessToken, { present: () => used }), 'a proof used before')
      await good()
    },
  },
})
