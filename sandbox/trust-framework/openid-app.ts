/**
 * The directory as an OpenID provider for people: they log in here, and the portals of the hubs, its clients, are told
 * who they are, whom they belong to and what they may do.
 */
import { generateKeyPairSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Configuration, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Directory } from './directory.ts'
import { Refusal, readBody } from './http.ts'
import { loginPage } from './login-page.ts'
import { openIdMemory } from './openid-memory.ts'
import { PEOPLE, type PersonRecord } from './people.ts'

/** A portal. Its keys are those that the directory publishes for its application. */
export type OpenIdClient = {
  readonly clientId: string
  readonly organisationId: string
  readonly redirectUris: readonly string[]
}

const RSA_BITS = 2048
const COOKIE_KEY_BYTES = 32
const SESSION_SECONDS = 3600
const FAILURES_MAX = 5
const BLOCKED_MS = 60_000
const LOGIN_PATH = /^\/login\/([\w-]{1,64})$/

export function openIdApp(issuer: string, clients: readonly OpenIdClient[], directory: Directory): Provider {
  const provider = new Provider(issuer, configuration(clients, directory))
  const guesses = createGuesses()
  provider.use(async (ctx, next) => {
    const uid = LOGIN_PATH.exec(ctx.path)?.[1]
    if (uid === undefined) return next()
    ctx.set('cache-control', 'no-store')
    ctx.set('x-content-type-options', 'nosniff')
    ctx.set('referrer-policy', 'no-referrer')
    try {
      // Only for the browser that holds the cookie of this interaction.
      const { params, session } = await provider.interactionDetails(ctx.req, ctx.res)
      const target = new URL(String(params['redirect_uri'])).origin
      // Browsers hold the redirects after a form against this as well.
      ctx.set('content-security-policy', `default-src 'none'; form-action 'self' ${target}; frame-ancestors 'none'`)
      if (ctx.method !== 'POST') return showLogin(ctx, uid, false)
      const form = new URLSearchParams(await readBody(ctx, 'application/x-www-form-urlencoded'))
      const person = guesses.attempt(form.get('username') ?? '', form.get('password') ?? '')
      if (person === null) return showLogin(ctx, uid, true)
      const result = { login: { accountId: person.subject, remember: false } }
      const next = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false })
      if (session !== undefined) await forgetWhoWasThere(provider, session.uid)
      ctx.status = 303
      ctx.redirect(next)
    } catch (thrown) {
      ctx.status = thrown instanceof Refusal ? thrown.status : 400
      ctx.body = 'This login is over. Go back to where you began it.'
    }
  })
  return provider
}

function configuration(clients: readonly OpenIdClient[], directory: Directory): Configuration {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: RSA_BITS })
  const kid = `people-${randomBytes(6).toString('hex')}`
  return {
    adapter: openIdMemory(),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'PS256' }] } as NonNullable<
      Configuration['jwks']
    >,
    clients: clients.map(({ clientId, organisationId, redirectUris }) => ({
      client_id: clientId,
      redirect_uris: [...redirectUris],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'PS256',
      id_token_signed_response_alg: 'PS256',
      jwks: { keys: directory.keys('application', organisationId, clientId) ?? [] },
    })) as NonNullable<Configuration['clients']>,
    responseTypes: ['code'],
    clientAuthMethods: ['private_key_jwt'],
    scopes: ['openid', 'profile'],
    claims: { openid: ['sub'], profile: ['name', 'organisation_id', 'roles'] },
    // So that who logs in is told in one signed message.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    enabledJWA: {
      idTokenSigningAlgValues: ['PS256'],
      clientAuthSigningAlgValues: ['PS256'],
      userinfoSigningAlgValues: ['PS256'],
    },
    cookies: { keys: [randomBytes(COOKIE_KEY_BYTES).toString('base64url')] },
    ttl: {
      AuthorizationCode: 60,
      IdToken: 300,
      AccessToken: 300,
      Interaction: 600,
      Session: SESSION_SECONDS,
      Grant: 3600,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: true },
    },
    interactions: { url: (_ctx, interaction) => `/login/${interaction.uid}` },
    // Portals are the banks' own: nobody is asked whether they may know who logs in.
    loadExistingGrant: (ctx) => grantOf(ctx),
    findAccount: async (_ctx, subject) => {
      const person = PEOPLE.find((each) => each.subject === subject)
      return person === undefined ? undefined : { accountId: subject, claims: async () => claimsOf(person) }
    },
    renderError: async (ctx, out) => {
      ctx.type = 'text'
      ctx.body = `The login failed: ${out.error}`
    },
  }
}

/** Somebody else may log in where another one was: the engine would ask to log the first one out, with a script. */
async function forgetWhoWasThere(provider: Provider, uid: string): Promise<void> {
  const session = await provider.Session.findByUid(uid)
  if (session === undefined) return
  delete session.accountId
  await session.save(SESSION_SECONDS)
}

async function grantOf(ctx: KoaContextWithOIDC) {
  const { client, session, provider } = ctx.oidc
  const grant = new provider.Grant({ clientId: client?.clientId, accountId: session?.accountId })
  grant.addOIDCScope('openid profile')
  await grant.save()
  return grant
}

const claimsOf = ({ subject, name, organisationId, roles }: PersonRecord) => ({
  sub: subject,
  name,
  organisation_id: organisationId,
  roles: [...roles],
})

function showLogin(ctx: Pick<KoaContextWithOIDC, 'status' | 'type' | 'body'>, uid: string, isWrong: boolean): void {
  ctx.status = 200
  ctx.type = 'html'
  ctx.body = loginPage(`/login/${uid}`, isWrong)
}

/** Whoever guesses waits, whether or not the name exists. */
function createGuesses() {
  const failures = new Map<string, { readonly count: number; readonly until: number }>()
  return {
    attempt: (username: string, password: string): PersonRecord | null => {
      const name = username.trim().toLowerCase().slice(0, 100)
      const before = failures.get(name)
      const count = before === undefined || before.until <= Date.now() ? 0 : before.count
      const person = PEOPLE.find((each) => each.username === name)
      const isRight = same(password, person?.password ?? '')
      if (count < FAILURES_MAX && person !== undefined && isRight) {
        failures.delete(name)
        return person
      }
      if (failures.size > 1_000) failures.clear()
      failures.set(name, { count: count + 1, until: Date.now() + BLOCKED_MS })
      return null
    },
  }
}

function same(shown: string, held: string): boolean {
  const [a, b] = [Buffer.alloc(128), Buffer.alloc(128)]
  a.write(shown)
  b.write(held)
  return timingSafeEqual(a, b) && held !== ''
}
