/** This portal as a client of the trust framework's OpenID provider: code flow with PKCE, state, nonce and private_key_jwt. */
import { createPrivateKey } from 'node:crypto'
import * as oidc from 'openid-client'
import { Agent, fetch } from 'undici'
import type { PortalConfig } from '../config.ts'
import type { Claims } from './person.ts'

export type LoginStart = {
  readonly address: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}
export type LoginReturn = {
  /** The whole address that the browser came back to. */
  readonly address: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** The provider was asked and did not answer as it should; nobody is at fault who stands before the screen. */
export class ProviderUnreachable extends Error {
  override readonly name = 'ProviderUnreachable'
}
/** What came back is no proof of who somebody is. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused'
}

export type OpenId = {
  /** @throws ProviderUnreachable */
  begin(redirectUri: string): Promise<LoginStart>
  /** @throws ProviderUnreachable, LoginRefused */
  complete(back: LoginReturn): Promise<Claims>
  close(): Promise<void>
}

const TIMEOUT_SECONDS = 10
const RESPONSE_BYTES_MAX = 1_048_576
/** Endpoints of the provider are believed for so long. */
const METADATA_MS = 600_000
const CLOCK_TOLERANCE_SECONDS = 10
/** Whoever logs in has shown who they are just now, not yesterday in another window. */
const AUTHENTICATED_SECONDS_MAX = 300

export function createOpenId(portal: PortalConfig): OpenId {
  const agent = new Agent({
    connect: portal.ca === null ? {} : { ca: portal.ca },
    connections: 4,
    maxResponseSize: RESPONSE_BYTES_MAX,
  })
  let known: { readonly provider: oidc.Configuration; readonly until: number } | null = null
  const provider = async (): Promise<oidc.Configuration> => {
    if (known !== null && known.until > performance.now()) return known.provider
    const found = await discover(portal, agent)
    known = { provider: found, until: performance.now() + METADATA_MS }
    return found
  }
  return {
    begin: async (redirectUri) => {
      const server = await provider()
      const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()]
      const address = oidc.buildAuthorizationUrl(server, {
        redirect_uri: redirectUri,
        scope: portal.scope,
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        prompt: 'login',
        max_age: String(AUTHENTICATED_SECONDS_MAX),
      })
      return { address: address.href, state, nonce, verifier }
    },
    complete: async ({ address, state, nonce, verifier }) => {
      const server = await provider()
      try {
        const tokens = await oidc.authorizationCodeGrant(server, new URL(address), {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          maxAge: AUTHENTICATED_SECONDS_MAX,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (claims === undefined) throw new LoginRefused('no id_token')
        return await withUserinfo(server, portal, tokens.access_token, claims)
      } catch (thrown) {
        throw thrown instanceof LoginRefused ? thrown : faultOf(thrown)
      }
    },
    close: () => agent.close(),
  }
}

async function discover(portal: PortalConfig, agent: Agent): Promise<oidc.Configuration> {
  const der = createPrivateKey(portal.key.key.reveal()).export({ type: 'pkcs8', format: 'der' })
  const algorithm = { name: 'RSA-PSS', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('pkcs8', new Uint8Array(der), algorithm, false, ['sign'])
  try {
    const found = await oidc.discovery(
      new URL(portal.issuer),
      portal.clientId,
      { id_token_signed_response_alg: 'PS256', [oidc.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
      oidc.PrivateKeyJwt({ key, kid: portal.key.kid }),
      { [oidc.customFetch]: fetchWith(agent), timeout: TIMEOUT_SECONDS },
    )
    // Without this the library trusts the TLS channel alone for the id_token.
    oidc.enableNonRepudiationChecks(found)
    return found
  } catch (cause) {
    throw new ProviderUnreachable('the OpenID provider could not be read', { cause })
  }
}

/** Some providers say no more in the id_token than who it is. */
async function withUserinfo(server: oidc.Configuration, portal: PortalConfig, token: string, claims: oidc.IDToken) {
  const isWhole = portal.rolesClaim in claims && portal.organisationClaim in claims
  if (isWhole || server.serverMetadata().userinfo_endpoint === undefined) return claims
  // Held against the subject of the id_token (OIDC Core 5.3.2).
  return { ...(await oidc.fetchUserInfo(server, token, claims.sub)), ...claims }
}

function fetchWith(agent: Agent): oidc.CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const answer = await fetch(url, {
      method,
      headers,
      // Text, not URLSearchParams: the platform's class and the package's own need not be the same one.
      body: body === null || body === undefined ? null : String(body),
      redirect: 'manual',
      signal: signal ?? null,
      dispatcher: agent,
    })
    // undici's Response is the platform's in all but its declared type.
    return answer as unknown as Response
  }
}

/** The library tells a refusal by its own classes; anything else was the network, or an answer that is none. */
function faultOf(thrown: unknown): Error {
  const isRefusal =
    thrown instanceof oidc.AuthorizationResponseError ||
    thrown instanceof oidc.ResponseBodyError ||
    (thrown instanceof oidc.ClientError && thrown.code !== 'OAUTH_TIMEOUT')
  return isRefusal
    ? new LoginRefused('the provider did not confirm the login', { cause: thrown })
    : new ProviderUnreachable('the OpenID provider did not answer', { cause: thrown })
}
