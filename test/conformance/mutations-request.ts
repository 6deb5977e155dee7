/** A hub that accepts an authorization request with a fault: modules 20 to 44 must notice. */
import type { Edit } from './mutation.ts'
import { engine, hub, only, WITHOUT_ALGORITHM, weaken } from './weakening.ts'

const RULES = 'auth-server/request-rules.ts'
const PROVIDER = 'auth-server/provider.ts'
const RAR = 'auth-server/rar.ts'
const STEPS = 'consent-store/steps.ts'
const JAR = 'actions/authorization/process_request_object.js'
const PUSHED = 'actions/authorization/pushed_authorization_requests.js'
const PARAMETERS = 'actions/authorization/response_parameters.js'
const NOT_VALID = 'if (!pushedAuthorizationRequest?.isValid)'
const algorithm = (alg: string): readonly Edit[] => [
  engine(
    JAR,
    'if (!pushedRequestObject && !configuration',
    `if (alg !== '${alg}' && !pushedRequestObject && !configuration`,
  ),
  engine(JAR, 'client[prop] && alg', `client[prop] && alg !== '${alg}' && alg`),
]
const UNSIGNED = [
  hub(PROVIDER, 'requireSignedRequestObject: !capable.unsignedRequests', 'requireSignedRequestObject: false'),
  hub('auth-server/clients.ts', "profile.requestObject === 'signed'", 'false'),
]

export const REQUEST_MUTATIONS = [
  weaken(
    'a request object may lack exp',
    only('ensure-request-object-without-exp-fails'),
    hub(RULES, "['aud', 'exp',", "['aud',"),
    hub(RULES, 'if (exp === undefined || nbf', 'if (nbf'),
  ),
  weaken(
    'a request object may lack nbf',
    only('ensure-request-object-without-nbf-fails'),
    hub(RULES, "'exp', 'nbf',", "'exp',"),
    hub(RULES, '|| nbf === undefined ||', '||'),
  ),
  weaken(
    'the redirect_uri may stand outside of the request object',
    only('ensure-request-object-without-redirect-uri-fails'),
    hub(RULES, "'redirect_uri', 'authorization_details'] as", "'authorization_details'] as"),
    engine(JAR, "param !== 'request')", "param !== 'request' && param !== 'redirect_uri')"),
    engine(JAR, '      params[key] = undefined;', "      if (key !== 'redirect_uri') params[key] = undefined;"),
  ),
  weaken(
    'the only redirect_uri goes without saying',
    only(
      'ensure-request-object-without-redirect-uri-fails',
      'ensure-redirect-uri-in-authorization-request',
      // It then sends the user back without having read the request.
      'par-attempt-reuse-request_uri',
    ),
    hub(RULES, "'redirect_uri', 'authorization_details'] as", "'authorization_details'] as"),
    hub(PROVIDER, 'allowOmittingSingleRegisteredRedirectUri: false', 'allowOmittingSingleRegisteredRedirectUri: true'),
    engine(PARAMETERS, "|| ctx.oidc.isFapi('2.0')", ''),
  ),
  weaken(
    'a request object is good for ever',
    only('ensure-expired-request-object-fails'),
    engine(JAR, 'audience: ctx.oidc.issuer,', 'audience: ctx.oidc.issuer, ignoreExpiration: true,'),
  ),
  weaken(
    'a request object may be for another server',
    only('ensure-request-object-with-bad-aud-fails'),
    engine(JAR, 'audience: ctx.oidc.issuer,', ''),
    hub(RULES, "if (claims['aud'] !== deps.issuer)", "if (claims['aud'] === undefined)"),
  ),
  weaken(
    'a request object may be good for hours',
    only('ensure-request-object-with-exp-over-60-fails', 'ensure-request-object-with-nbf-over-60-fails'),
    hub(RULES, 'REQUEST_LIFETIME_MAX_SECONDS = 600', 'REQUEST_LIFETIME_MAX_SECONDS = 86_400'),
    hub(RULES, 'REQUEST_AGE_MAX_SECONDS = 600', 'REQUEST_AGE_MAX_SECONDS = 86_400'),
  ),
  weaken(
    'a request object may be signed with RS256',
    only('ensure-signed-request-object-with-RS256-fails'),
    ...algorithm('RS256'),
    WITHOUT_ALGORITHM,
  ),
  weaken(
    'a request object may be signed with none',
    only('ensure-request-object-signature-algorithm-is-not-none'),
    ...algorithm('none'),
    engine(JAR, "if (alg.startsWith('HS'))", "if (alg === 'none') {} else if (alg.startsWith('HS'))"),
  ),
  weaken(
    'nobody looks at the signature of a request object',
    only('ensure-request-object-with-invalid-signature-fails', 'ensure-matching-key-in-authorization-request'),
    engine(JAR, 'await JWT.verify(params.request, client.asymmetricKeyStore, opts);', ''),
  ),
  weaken('a request need not be signed', only('ensure-unsigned-request-at-par-endpoint-fails'), ...UNSIGNED),
  weaken(
    'a request object may point at another',
    only('par-authorization-request-containing-request_uri'),
    hub(RULES, "['login_hint', 'text'],", "['login_hint', 'text'], ['request_uri', 'text'],"),
    engine(JAR, '|| request.request_uri !== undefined', ''),
  ),
  weaken(
    'a push may have a request_uri beside it',
    only('par-authorization-request-containing-request_uri-form-param'),
    engine('actions/authorization/request_parameters.js', "ctx.oidc.route !== 'authorization' ||", ''),
  ),
  weaken(
    'a redirect_uri need not be registered',
    only('ensure-registered-redirect-uri'),
    hub(PROVIDER, 'allowUnregisteredRedirectUris: false', 'allowUnregisteredRedirectUris: true'),
  ),
  weaken(
    'a request need be neither pushed nor signed',
    only(
      'ensure-unsigned-authorization-request-without-using-par-fails',
      'ensure-unsigned-request-at-par-endpoint-fails',
    ),
    hub(PROVIDER, 'requirePushedAuthorizationRequests: true', 'requirePushedAuthorizationRequests: false'),
    ...UNSIGNED,
  ),
  weaken(
    'any response type will do',
    only('ensure-response-type-code-idtoken-fails', 'ensure-response-type-token-fails'),
    hub(RULES, "if (type !== 'code')", 'if (type === undefined)'),
    engine(PARAMETERS, 'if (!supported.includes(params.response_type))', 'if (false)'),
    engine(PARAMETERS, 'if (!ctx.oidc.client.responseTypeAllowed(params.response_type))', 'if (false)'),
    engine(
      PARAMETERS,
      'if (!ctx.oidc.client.responseModeAllowed(',
      'if (false && !ctx.oidc.client.responseModeAllowed(',
    ),
    engine('shared/check_rar.js', "params.response_type?.split(' ').includes('code') === false", 'false'),
    engine('shared/check_rar.js', "|| params.response_type?.split(' ').includes('token')", ''),
  ),
  weaken(
    'PUT is as good as POST',
    only('par-attempt-invalid-http-method'),
    hub(
      'auth-server/tpp-side.ts',
      'if (!operation.methods.includes(ctx.method))',
      "if (ctx.method === 'PUT') ctx.method = 'POST'\n  if (!operation.methods.includes(ctx.method))",
    ),
  ),
  weaken(
    'PKCE is left to the client',
    only('par-ensure-pkce-required'),
    hub(PROVIDER, 'required: () => true', 'required: () => false'),
  ),
  weaken(
    'a challenge may be its own verifier',
    only('par-plain-pkce-rejected'),
    engine('actions/authorization/sender_constraints.js', "if (params.code_challenge_method !== 'S256')", 'if (false)'),
  ),
  weaken(
    'a request_uri works again after it has worked',
    only('par-attempt-reuse-request_uri'),
    engine(PUSHED, NOT_VALID, 'if (!pushedAuthorizationRequest || pushedAuthorizationRequest.isExpired)'),
    hub(RAR, "if (stored.status !== 'AwaitingAuthorization')", 'if (false)'),
    hub(STEPS, "if (consent.status !== 'AwaitingAuthorization') return refuse('not-from-here')", ''),
    hub(STEPS, "if (consent.completedAt !== null) return refuse('completed')", ''),
  ),
  weaken(
    'a request_uri works after its time',
    only('par-attempt-to-use-expired-request_uri'),
    engine(PUSHED, NOT_VALID, 'if (!pushedAuthorizationRequest || pushedAuthorizationRequest.consumed)'),
  ),
  weaken(
    'a request_uri works for whoever has it',
    only('par-attempt-to-use-request_uri-for-different-client'),
    engine(JAR, 'params.client_id\n    && request.client_id !== undefined\n', 'false\n'),
    engine(JAR, 'if (request.client_id !== undefined && request.client_id !== client.clientId)', 'if (false)'),
    engine(JAR, 'issuer: client.clientId,', ''),
    hub(RAR, 'await deps.consents.findOwned(id, clientIdOf(ctx))', 'await deps.consents.find(id)'),
  ),
]
