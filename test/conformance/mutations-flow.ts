/** A hub with a fault that the checks of every successful flow must notice, so that all modules on that way turn red. */
import { engine, hub, only, reaching, weaken } from './weakening.ts'

const RESPOND = 'actions/authorization/respond.js'
const OPAQUE = 'models/formats/opaque.js'
const OAUTH = 'helpers/grant_common.js'
const BINDING = 'gateway/stages/check-binding.ts'
const WITHOUT_STATE = only(
  'ensure-authorization-request-without-state-success',
  'state-only-outside-request-object-not-used',
)

export const FLOW_MUTATIONS = [
  weaken(
    'access tokens are not said to be bound',
    reaching('discovery'),
    hub('auth-server/profile-metadata.ts', 'bound_access_tokens: mtls', 'bound_access_tokens: false'),
  ),
  weaken(
    'discovery has a member of its own',
    reaching('discovery'),
    hub(
      'auth-server/discovery.ts',
      'claims_parameter_supported: false',
      "claims_parameter_supported: false, falaj_says: 'hello'",
    ),
  ),
  weaken(
    'no answer has a date',
    reaching('discovery'),
    hub('listener.ts', 'const host = hostOf(request)', 'response.sendDate = false\n    const host = hostOf(request)'),
  ),
  weaken(
    'a push is answered 200',
    reaching('par'),
    engine('actions/authorization/pushed_authorization_requests.js', 'ctx.status = 201;', 'ctx.status = 200;'),
  ),
  weaken(
    'a request_uri is said to live for ten minutes',
    reaching('par'),
    hub(
      'auth-server/lodging.ts',
      'expires_in: lifetimeOf(oidc, deps.tenant.lifetimes.requestUriSeconds)',
      'expires_in: 600',
    ),
  ),
  weaken(
    'answers of the OAuth endpoints may be kept',
    reaching('par'),
    engine('shared/no_cache.js', "'no-store'", "'private'"),
  ),
  weaken(
    'the interaction id is not echoed',
    reaching('par'),
    hub(
      'listener.ts',
      'ctx.set(INTERACTION_HEADER, ctx.state.correlationId)',
      'ctx.set(INTERACTION_HEADER, newCorrelationId())',
    ),
  ),
  weaken(
    'a request_uri can be guessed',
    reaching('par'),
    engine(
      OPAQUE,
      "if (token.kind !== 'PushedAuthorizationRequest')",
      "if (token.kind === 'PushedAuthorizationRequest') return nanoid(8);\n  if (true)",
    ),
  ),
  weaken(
    'a code can be guessed',
    reaching('code'),
    engine(
      OPAQUE,
      "if (token.kind !== 'PushedAuthorizationRequest')",
      "if (token.kind === 'AuthorizationCode') return 'A'.repeat(30) + nanoid(8);\n  if (token.kind !== 'PushedAuthorizationRequest')",
    ),
  ),
  weaken(
    'the authorization response does not say who answers',
    reaching('code'),
    engine(RESPOND, 'out.iss = ctx.oidc.provider.issuer;', ''),
  ),
  weaken(
    'the state comes back changed',
    reaching('code').filter((id) => !WITHOUT_STATE.includes(id)),
    engine(RESPOND, 'out.state = params.state;', "out.state = params.state?.concat('x');"),
  ),
  weaken(
    'parameters must be repeated beside the request_uri',
    reaching('code'),
    engine(
      'actions/authorization/pushed_authorization_requests.js',
      'rejectRequestAndUri(ctx, () => {});',
      "rejectRequestAndUri(ctx, () => {});\n  if (params.response_type === undefined) throw new InvalidRequest('response_type is missing');",
    ),
  ),
  weaken(
    'the token response does not say what was granted',
    reaching('tokens'),
    engine(OAUTH, 'authorizationDetails: at.rar,', ''),
  ),
  weaken(
    'an access token lives for an hour',
    reaching('tokens'),
    hub('auth-server/provider.ts', 'Math.min(accessTokenSeconds, ', 'Math.min(3_600, '),
  ),
  weaken(
    'the id_token is for another client',
    reaching('tokens'),
    engine(
      'models/id_token.js',
      'audience: client.clientId,\n            expiresIn: (',
      "audience: 'another',\n            expiresIn: (",
    ),
  ),
  weaken(
    'the id_token says what nobody asked for',
    reaching('tokens'),
    engine(OAUTH, "token.set('sid', source.sid);", "token.set('email', 'someone@bank.example');"),
  ),
  weaken(
    'an access token is taken from the query',
    reaching('tokens'),
    hub(
      'gateway/stages/verify-token.ts',
      'const { authorization } = arrival.headers',
      "const asked = new URLSearchParams(arrival.search).get('access_token')\n    if (asked !== null) arrival.headers.authorization = 'Bearer '.concat(asked)\n    const { authorization } = arrival.headers",
    ),
    hub('gateway/stages/verify-token.ts', "new URLSearchParams(arrival.search).has('access_token')", 'false'),
    hub(
      'gateway/stages/check-parameters.ts',
      'of new URLSearchParams(search)) {',
      "of new URLSearchParams(search)) {\n    if (name === 'access_token') continue",
    ),
  ),
  weaken(
    'an access token works over any certificate',
    reaching('tokens'),
    hub(BINDING, "if (token.binding.kind === 'mtls' &&", 'if (false &&'),
    hub(BINDING, 'if (shown !== null) assertOwn(', 'if (false) assertOwn('),
  ),
  weaken(
    'a refresh token works for whoever has it',
    reaching('tokens'),
    engine('actions/grants/refresh_token.js', 'if (refreshToken.clientId !== client.clientId)', 'if (false)'),
    engine('helpers/grant_source.js', 'if (grant.clientId !== ctx.oidc.client.clientId)', 'if (false)'),
  ),
  weaken(
    'TLS 1.1 is spoken',
    reaching('tokens'),
    hub('tls.ts', "minVersion: 'TLSv1.2'", "minVersion: 'TLSv1'"),
    hub('tls.ts', "'TLS_AES_256_GCM_SHA384',", "'@SECLEVEL=0', 'ALL', 'TLS_AES_256_GCM_SHA384',"),
  ),
  weaken(
    'TLS 1.2 is spoken with a cipher of old',
    reaching('tokens'),
    hub('tls.ts', "'ECDHE-RSA-AES128-GCM-SHA256',", "'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-SHA384',"),
  ),
  weaken('TLS 1.3 is not spoken', reaching('tokens'), hub('tls.ts', "maxVersion: 'TLSv1.3'", "maxVersion: 'TLSv1.2'")),
]
