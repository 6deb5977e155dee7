/** A hub that is lax about proofs of possession: the DPoP modules must notice. */
import { engine, hub, only, reaching, weakenIn } from './weakening.ts'

const weaken = weakenIn('fapi2-dpop')
const PROOF = 'dpop-proof.ts'
const NEGATIVE = only('dpop-negative-tests')
const BOUND = [
  'ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt',
  'ensure-token-endpoint-fails-with-mismatched-dpop-jkt',
] as const

export const DPOP_MUTATIONS = [
  weaken(
    'a proof may be of any type',
    NEGATIVE,
    hub(PROOF, "if (typeof typ !== 'string' ||", "if (typeof typ === 'symbol' &&"),
  ),
  weaken(
    'nobody looks at the signature of a proof',
    NEGATIVE,
    hub(PROOF, 'if (!SIGNED_BY[alg](', 'if (false && !SIGNED_BY[alg]('),
  ),
  weaken(
    'a proof may show its private key',
    NEGATIVE,
    hub(PROOF, 'if (PRIVATE_MEMBERS.some(', 'if (false && PRIVATE_MEMBERS.some('),
  ),
  weaken(
    'a proof needs no jti',
    NEGATIVE,
    hub(PROOF, "if (typeof jti !== 'string' ||", "if (jti !== undefined && typeof jti !== 'string' ||"),
  ),
  weaken('a proof is good for any method', NEGATIVE, hub(PROOF, 'if (htm !== use.method)', 'if (false)')),
  weaken(
    'a proof is good for any address',
    NEGATIVE,
    hub(PROOF, "if (typeof htu !== 'string' ||", "if (typeof htu === 'symbol' &&"),
  ),
  weaken(
    'an address of a proof is one of letters',
    NEGATIVE,
    hub(PROOF, 'normal(htu) !== normal(use.url)', 'htu !== use.url'),
  ),
  weaken('a proof is good with any token', NEGATIVE, hub(PROOF, 'if (use.accessTokenHash !== null &&', 'if (false &&')),
  weaken(
    'a proof is good for hours',
    NEGATIVE,
    hub(PROOF, 'PROOF_AGE_MAX_SECONDS = 300', 'PROOF_AGE_MAX_SECONDS = 86_400'),
  ),
  weaken(
    'a proof may be of tomorrow',
    NEGATIVE,
    hub(PROOF, 'if (iat > nowSeconds + PROOF_SKEW_SECONDS)', 'if (false)'),
  ),
  weaken(
    'a proof is not good before its second',
    only('ensure-dpopproof-with-iat-10seconds-after-succeeds'),
    hub(PROOF, 'if (iat > nowSeconds + PROOF_SKEW_SECONDS)', 'if (iat > nowSeconds)'),
  ),
  weaken(
    'a proof is good for five seconds',
    only('ensure-dpopproof-with-iat-10seconds-before-succeeds'),
    hub(PROOF, 'if (iat < nowSeconds - PROOF_AGE_MAX_SECONDS)', 'if (iat < nowSeconds - 5)'),
  ),
  weaken(
    'exp and nbf of a proof say nothing',
    only('check-dpop-proof-nbf-exp'),
    hub(PROOF, 'if (exp !== undefined &&', 'if (false &&'),
    hub(PROOF, 'if (nbf !== undefined &&', 'if (false &&'),
  ),
  weaken('a proof may be used again', NEGATIVE, hub('dpop.ts', 'return isFirst ?', 'return isFirst || true ?')),
  weaken(
    'a proof may be of any key',
    // Whoever holds a token may read with it, which every flow tries.
    reaching('tokens', 'fapi2-dpop'),
    hub('dpop.ts', 'if (proof.jkt !== presented.jkt)', 'if (false)'),
  ),
  weaken(
    'a token that is bound to a key is taken as Bearer',
    NEGATIVE,
    hub('gateway/stages/verify-token.ts', "if (binding.kind === 'dpop' && !asDpop)", 'if (false)'),
  ),
  weaken(
    'a code works with any key',
    only(...BOUND),
    engine('helpers/grant_common.js', '&& dPoP && source.dpopJkt && source.dpopJkt !== dPoP.thumbprint', '&& false'),
  ),
  weaken(
    'a push may name one key and prove another',
    only('ensure-mismatched-dpop-jkt-fails'),
    engine(
      'actions/authorization/sender_constraints.js',
      'if (params.dpop_jkt && params.dpop_jkt !== dPoP.thumbprint)',
      'if (false)',
    ),
  ),
  weaken(
    'a push may not name its key',
    only(
      'ensure-token-endpoint-fails-with-mismatched-dpop-jkt',
      'ensure-mismatched-dpop-jkt-fails',
      'ensure-dpop-auth-code-binding-success',
    ),
    engine(
      'actions/authorization/sender_constraints.js',
      'const dPoP = await dpopValidate',
      "if (params.dpop_jkt) throw new InvalidRequest('no');\n  const dPoP = await dpopValidate",
    ),
  ),
  weaken(
    'a push may not bring a proof',
    only(
      'ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt',
      'ensure-dpopproof-at-par-endpoint-binding-success',
    ),
    engine(
      'actions/authorization/sender_constraints.js',
      'if (dPoP) {',
      "if (dPoP) {\n    if (!params.dpop_jkt) throw new InvalidRequest('no');",
    ),
  ),
  weaken(
    'a token is given without a proof',
    reaching('tokens', 'fapi2-dpop'),
    hub('auth-server/sender-rule.ts', "if (usesDpop && ctx.oidc.route === 'token')", 'if (false)'),
    engine('helpers/sender_constraints.js', 'if (!dPoP && ctx.oidc.client.dpopBoundAccessTokens)', 'if (false)'),
  ),
]
