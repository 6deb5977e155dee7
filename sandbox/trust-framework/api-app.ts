/** The directory's API behind mutual TLS: tokens, records, and the acts of its operator (tpp-api 9.4). */
import type { TLSSocket } from 'node:tls'
import Router from '@koa/router'
import Koa, { type Context } from 'koa'
import { type Peer, peerOf } from '../tls.ts'
import type { Directory } from './directory.ts'
import { found, parameter, Refusal, readBody, refusals } from './http.ts'
import { API_FAMILIES } from './participants.ts'
import type { OrganisationStatus, SoftwareStatus } from './register.ts'
import { TOKEN_SECONDS, type Tokens } from './tokens.ts'

const SCOPE = 'directory:software'
const SOFTWARE_STATUSES = ['Active', 'Suspended', 'Inactive'] as const satisfies readonly SoftwareStatus[]
const ORGANISATION_STATUSES = ['Active', 'Inactive'] as const satisfies readonly OrganisationStatus[]

export function apiApp(directory: Directory, tokens: Tokens): Koa {
  const app = new Koa()
  app.use(refusals)
  for (const router of [tokenRoutes(directory, tokens), operatorRoutes(directory), recordRoutes(directory, tokens)]) {
    app.use(router.routes()).use(router.allowedMethods())
  }
  return app
}

/** RFC 8705 2.1: the certificate alone authenticates the client; its CN must be the client id it claims. */
function tokenRoutes(directory: Directory, tokens: Tokens): Router {
  const router = new Router()
  router.post('/token', async (ctx) => {
    const form = new URLSearchParams(await readBody(ctx, 'application/x-www-form-urlencoded'))
    const peer = callerOf(ctx, directory)
    const claimed = form.getAll('client_id')
    if (claimed.length !== 1 || claimed[0] !== peer.clientId) {
      throw new Refusal(401, 'invalid_client', 'client_id is not the one in the certificate')
    }
    if (form.get('grant_type') !== 'client_credentials') {
      throw new Refusal(400, 'unsupported_grant_type', 'client_credentials is the only grant')
    }
    if (form.get('scope') !== SCOPE) throw new Refusal(400, 'invalid_scope', `${SCOPE} is the only scope`)
    ctx.set('cache-control', 'no-store')
    ctx.body = {
      access_token: tokens.issue(peer.thumbprint),
      token_type: 'Bearer',
      expires_in: TOKEN_SECONDS,
      scope: SCOPE,
    }
  })
  return router
}

function recordRoutes(directory: Directory, tokens: Tokens): Router {
  const router = new Router()
  router.use((ctx, next) => {
    const bearer = /^Bearer ([\w-]+)$/i.exec(ctx.get('authorization'))?.[1]
    const peer = callerOf(ctx, directory)
    if (bearer === undefined || !tokens.holds(bearer, peer.thumbprint)) {
      throw new Refusal(401, 'invalid_token', 'no token of this certificate')
    }
    ctx.set('cache-control', 'no-store')
    return next()
  })
  router.get('/references/apifamilies', (ctx) => {
    ctx.body = API_FAMILIES
  })
  router.get('/organisations', (ctx) => {
    ctx.body = directory.organisations()
  })
  router.get('/organisations/:organisation', (ctx) => {
    ctx.body = found(directory.organisation(parameter(ctx, 'organisation')))
  })
  const statements = '/organisations/:organisation/softwarestatements'
  router.get(statements, (ctx) => {
    ctx.body = found(directory.softwareStatements(parameter(ctx, 'organisation')))
  })
  router.get(`${statements}/:id`, (ctx) => {
    ctx.body = found(directory.softwareStatement(parameter(ctx, 'organisation'), parameter(ctx, 'id')))
  })
  router.get(`${statements}/:id/certificates`, (ctx) => {
    ctx.body = found(directory.certificates(parameter(ctx, 'organisation'), parameter(ctx, 'id')))
  })
  router.get([`${statements}/:id/roles`, `${statements}/:id/authorityclaims`], (ctx) => {
    ctx.body = found(directory.roles(parameter(ctx, 'organisation'), parameter(ctx, 'id')))
  })
  return router
}

function operatorRoutes(directory: Directory): Router {
  const router = new Router({ prefix: '/operator' })
  router.use((ctx, next) => {
    if (callerOf(ctx, directory).clientId !== directory.operatorClientId) {
      throw new Refusal(403, 'access_denied', "only for the directory's operator")
    }
    return next()
  })
  router.post('/certificates/:kid/revoke', (ctx) => {
    ctx.body = found(directory.revoke(parameter(ctx, 'kid')))
  })
  router.post('/softwarestatements/:id/status', async (ctx) => {
    const status = await readStatus(ctx, SOFTWARE_STATUSES)
    ctx.body = found(directory.setSoftwareStatus(parameter(ctx, 'id'), status))
  })
  router.post('/organisations/:id/status', async (ctx) => {
    const status = await readStatus(ctx, ORGANISATION_STATUSES)
    ctx.body = found(directory.setOrganisationStatus(parameter(ctx, 'id'), status))
  })
  return router
}

/** The caller, if the directory itself still vouches for the certificate: the handshake knows no revocation. */
function callerOf(ctx: Context, directory: Directory): Peer {
  const peer = peerOf(ctx.socket as TLSSocket)
  const holder = peer === null ? null : directory.holderOf(peer.thumbprint)
  if (peer === null || holder?.ClientId !== peer.clientId || holder.OrganisationId !== peer.organisationId) {
    throw new Refusal(401, 'invalid_client', 'the certificate is not an active one of an active application')
  }
  return peer
}

async function readStatus<T extends string>(ctx: Context, allowed: readonly T[]): Promise<T> {
  const text = await readBody(ctx, 'application/json')
  const status = allowed.find((each) => each === statusIn(text))
  if (status === undefined) throw new Refusal(400, 'invalid_request', `Status is one of ${allowed.join(', ')}`)
  return status
}

function statusIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly Status?: unknown } | null)?.Status
  } catch {
    return undefined
  }
}
