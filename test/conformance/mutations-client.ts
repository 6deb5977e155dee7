/** A hub that gives tokens to whom they do not belong: modules 45 to 60 must notice. */
import { engine, hub, only, WITHOUT_ALGORITHM, weaken } from './weakening.ts'

const RULES = 'auth-server/request-rules.ts'
const AUTHENTICATION = 'shared/client_auth.js'
const ASSERTION = 'shared/jwt_client_auth.js'
const SOURCE = 'helpers/grant_source.js'
const AUDIENCE = 'if (aud !== deps.issuer) refuse'
/** To the engine an audience is one of its own addresses, and those are not the ones of the listeners. */
const ANY_AUDIENCE = [
  engine(ASSERTION, 'if (!payload.aud.some((aud) => acceptedAud.has(aud)))', 'if (false)'),
  engine(ASSERTION, 'else if (!acceptedAud.has(payload.aud))', 'else if (false)'),
]
const FOR_CODE = "ctx.oidc.body.grant_type === 'authorization_code'"

export const CLIENT_MUTATIONS = [
  weaken(
    'client_id and assertion may name two clients',
    only('ensure-client-id-in-token-endpoint'),
    engine(AUTHENTICATION, 'if (clientId !== undefined && value !== clientId)', 'if (false)'),
  ),
  weaken(
    'a code is redeemed without a certificate',
    only('ensure-holder-of-key-required'),
    hub(
      'auth-server/tpp-side.ts',
      'if (peer === null) return withoutCertificate ?',
      'if (peer === null) return true ?',
    ),
    hub(RULES, 'if (peer === null) throw', 'if (peer === null && isForCode()) return\n  if (peer === null) throw'),
    hub(
      RULES,
      "type Kind = 'text'",
      `const isForCode = () => [Provider.ctx].some((ctx) => ${FOR_CODE})\ntype Kind = 'text'`,
    ),
    hub(RULES, 'type KoaContextWithOIDC } from', 'type KoaContextWithOIDC, Provider } from'),
    engine('helpers/sender_constraints.js', 'if (!certificate)', 'if (false)'),
  ),
  weaken(
    'a code works for whoever has it',
    only('ensure-authorization-code-is-bound-to-client'),
    engine(
      SOURCE,
      'if (source.clientId !== ctx.oidc.client.clientId)',
      `if (!(${FOR_CODE}) && source.clientId !== ctx.oidc.client.clientId)`,
    ),
    engine(SOURCE, 'if (grant.clientId !== ctx.oidc.client.clientId)', 'if (false)'),
  ),
  weaken(
    'a code works twice',
    only('attempt-reuse-authorization-code-after-one-second'),
    engine(SOURCE, 'if (source.consumed)', 'if (false)'),
    hub('auth-server/unit-of-work.ts', ' || row.consumedAt !== null', ''),
    hub('auth-server/engine-records.ts', ' and consumed_at is null', ''),
  ),
  weaken(
    'what a code gave outlives its second use',
    only('attempt-reuse-authorization-code-after-one-second'),
    engine(SOURCE, 'await revoke(ctx, source.grantId);', ''),
  ),
  weaken(
    'a code lives for an hour',
    only('ensure-token-endpoint-fails-with-expired-auth-code'),
    hub('auth-server/provider.ts', 'AuthorizationCode: 60', 'AuthorizationCode: 3_600'),
  ),
  weaken(
    'an assertion may be signed with RS256',
    only('ensure-signed-client-assertion-with-RS256-fails'),
    engine(
      ASSERTION,
      'if (header.alg !== ctx.oidc.client.clientAuthSigningAlg)',
      "if (header.alg !== 'RS256' && header.alg !== ctx.oidc.client.clientAuthSigningAlg)",
    ),
    WITHOUT_ALGORITHM,
  ),
  weaken(
    'a code is redeemed without an assertion',
    only('ensure-client-assertion-in-token-endpoint'),
    engine(AUTHENTICATION, 'if (methods?.includes(', `if (!(${FOR_CODE}) && methods?.includes(`),
    engine(
      AUTHENTICATION,
      'await jwtClientAuth(ctx, ctx.oidc.client.asymmetricKeyStore',
      'if (ctx.oidc.params.client_assertion) await jwtClientAuth(ctx, ctx.oidc.client.asymmetricKeyStore',
    ),
  ),
  weaken(
    'an assertion is good for ever',
    only('ensure-client-assertion-with-exp-is-5-minutes-in-past-fails'),
    engine(ASSERTION, 'clockTolerance,\n      ignoreAzp', 'clockTolerance, ignoreExpiration: true,\n      ignoreAzp'),
  ),
  weaken(
    'clocks may be two hours apart',
    only('ensure-client-assertion-with-exp-is-5-minutes-in-past-fails', 'ensure-expired-request-object-fails'),
    hub('auth-server/provider.ts', 'clockTolerance: SKEW_SECONDS', 'clockTolerance: 7_200'),
  ),
  weaken(
    'clocks may be two minutes apart',
    only(
      'par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails',
      'ensure-expired-request-object-fails',
    ),
    hub(RULES, 'SKEW_SECONDS = 10', 'SKEW_SECONDS = 120'),
  ),
  weaken(
    'an assertion may be for anybody',
    only(
      'ensure-client-assertion-with-wrong-aud-fails',
      'par-test-array-as-audience-fails',
      'par-test-par-endpoint-url-as-audience-fails',
      'par-test-token-endpoint-url-as-audience-fails',
    ),
    hub(RULES, AUDIENCE, 'if (false) refuse'),
    ...ANY_AUDIENCE,
  ),
  weaken(
    'an assertion may be for a list with the issuer in it',
    only('par-test-array-as-audience-fails'),
    hub(RULES, AUDIENCE, 'if (![aud].flat().includes(deps.issuer)) refuse'),
  ),
  weaken(
    'an assertion may be for the PAR endpoint',
    only('par-test-par-endpoint-url-as-audience-fails'),
    hub(RULES, AUDIENCE, "if (aud !== deps.issuer && !String(aud).endsWith('/par')) refuse"),
    ...ANY_AUDIENCE,
  ),
  weaken(
    'an assertion may be for the token endpoint',
    only('par-test-token-endpoint-url-as-audience-fails'),
    hub(RULES, AUDIENCE, "if (aud !== deps.issuer && !String(aud).endsWith('/token')) refuse"),
    ...ANY_AUDIENCE,
  ),
  weaken(
    'an assertion may lack sub',
    only('ensure-client-assertion-with-no-sub-fails'),
    engine(
      AUTHENTICATION,
      '({ sub } = JWT.payload(ctx.oidc.params.client_assertion))',
      '({ iss: sub } = JWT.payload(ctx.oidc.params.client_assertion))',
    ),
    hub(RULES, 'if (sub !== iss)', 'if (sub !== undefined && sub !== iss)'),
  ),
  weaken(
    'a code is redeemed without its verifier',
    only('ensure-pkce-code-verifier-required'),
    engine('helpers/pkce.js', 'if (verifier || challenge)', 'if (verifier)'),
  ),
  weaken(
    'a code is redeemed with any verifier',
    only('incorrect-pkce-code-verifier-rejected'),
    engine('helpers/pkce.js', 'if (!constantEquals(challenge, expected))', 'if (false)'),
  ),
]
