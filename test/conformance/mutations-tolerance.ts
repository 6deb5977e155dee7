/** A hub that is stricter than it may be, or less exact: modules 1 to 19 must notice. */
import { engine, hub, only, weaken } from './weakening.ts'

const RULES = 'auth-server/request-rules.ts'
const JAR = 'actions/authorization/process_request_object.js'
const PUSHED = 'actions/authorization/pushed_authorization_requests.js'
const REQUIRED = "const REQUIRED_CLAIMS = ['aud',"
const KEEP_INSIDE = 'params[key] = request[key] || undefined;'

export const TOLERANCE_MUTATIONS = [
  weaken(
    'the query of a redirect URI is lost',
    only('happy-flow'),
    engine('response_modes/query.js', 'formatUri(redirectUri,', "formatUri(redirectUri.split('?')[0],"),
  ),
  weaken(
    'a rejection by the user is an error of the server',
    only('user-rejects-authentication'),
    hub('auth-server/completion.ts', "?? 'access_denied'", "?? 'server_error'"),
  ),
  weaken(
    'state is required',
    only('ensure-authorization-request-without-state-success', 'state-only-outside-request-object-not-used'),
    hub(RULES, REQUIRED, `${REQUIRED} 'state',`),
  ),
  weaken(
    'nonce is required',
    only('ensure-authorization-request-without-nonce-success'),
    hub(RULES, REQUIRED, `${REQUIRED} 'nonce',`),
  ),
  weaken(
    'a nonce ends at 63 characters',
    only('ensure-authorization-request-with-64-char-nonce-success', 'ensure-authorization-request-with-long-nonce'),
    engine(
      'helpers/grant_common.js',
      "token.set('nonce', source.nonce)",
      "token.set('nonce', source.nonce?.slice(0, 63))",
    ),
  ),
  weaken(
    'a nonce ends at 256 characters',
    only('ensure-authorization-request-with-long-nonce'),
    engine(
      'helpers/grant_common.js',
      "token.set('nonce', source.nonce)",
      "token.set('nonce', source.nonce?.slice(0, 256))",
    ),
  ),
  weaken(
    'a state ends at 512 characters',
    only('ensure-authorization-request-with-long-state'),
    engine('actions/authorization/respond.js', 'out.state = params.state;', 'out.state = params.state.slice(0, 512);'),
  ),
  weaken(
    'scopes have an order',
    only('ensure-other-scope-order-succeeds'),
    hub('auth-server/rar.ts', 'if (asked.size !== wanted.length ||', 'if ([...asked].join() !== wanted.join() ||'),
  ),
  weaken(
    'the claims parameter is offered',
    only('test-claims-parameter-identity-claims'),
    hub('auth-server/discovery.ts', 'claims_parameter_supported: false', 'claims_parameter_supported: true'),
  ),
  weaken(
    'the scheme Bearer is one of letters',
    only('access-token-type-header-case-sensitivity'),
    hub('gateway/stages/verify-token.ts', '+=*)$/i', '+=*)$/'),
    hub('gateway/stages/verify-token.ts', '/^(bearer|dpop)', '/^(Bearer|DPoP)'),
  ),
  weaken(
    'a request object is not good before its second',
    only('ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted'),
    hub(RULES, "if (nbf > now + SKEW_SECONDS) refuse('nbf", "if (nbf > now) refuse('nbf"),
  ),
  weaken(
    'an assertion is not good before its second',
    only('par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted'),
    hub(RULES, "if (iat > now + SKEW_SECONDS) refuse('iat", "if (iat > now) refuse('iat"),
  ),
  weaken(
    'a nonce outside of the request object wins',
    only('ensure-different-nonce-inside-and-outside-request-object'),
    engine(JAR, KEEP_INSIDE, "params[key] = (key === 'nonce' ? params[key] : undefined) ?? request[key];"),
  ),
  weaken(
    'a state outside of the request object wins',
    only('ensure-different-state-inside-and-outside-request-object'),
    engine(JAR, "of ['state', 'response_mode'", "of ['response_mode'"),
    engine(JAR, KEEP_INSIDE, "params[key] = (key === 'state' ? params[key] : undefined) ?? request[key];"),
  ),
  weaken(
    'a state that is only outside of the request object comes back',
    only('state-only-outside-request-object-not-used'),
    engine(JAR, '      params[key] = undefined;', "      if (key !== 'state') params[key] = undefined;"),
  ),
  weaken(
    'a request_uri is spent by a visit',
    only(
      'par-ensure-reused-request-uri-prior-to-auth-completion-succeeds',
      'par-attempt-to-use-request_uri-for-different-client',
    ),
    engine(PUSHED, 'const MAX_TTL = 60;', 'const MAX_TTL = 60;\nconst seen = new Set();'),
    engine(
      PUSHED,
      'if (!pushedAuthorizationRequest?.isValid)',
      'if (!pushedAuthorizationRequest?.isValid || seen.size === seen.add(id).size)',
    ),
  ),
  weaken(
    'no refresh token is issued',
    only('refresh-token'),
    hub('auth-server/provider.ts', "client.grantTypeAllowed('refresh_token') &&", 'false &&'),
  ),
]
