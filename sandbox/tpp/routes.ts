/** Addresses of the application. Every page is a GET that reads; every change is a POST with an anti-forgery token. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Router from '@koa/router'
import { html } from '../html.ts'
import { type Handler, ownConnection, present, seeOther, settle, show } from './answering.ts'
import { bankRoutes } from './bank-routes.ts'
import type { TppClient } from './client.ts'
import { consentRoutes } from './consent-routes.ts'
import { LfiFault } from './errors.ts'
import { type Journey, kindOf } from './journey.ts'
import { OFFERS } from './offers.ts'
import { accountPage } from './pages/account.ts'
import { type AccountView, dashboardPage } from './pages/dashboard.ts'
import { type BankChoice, homePage } from './pages/home.ts'
import { problem } from './pages/problem.ts'
import { type Json, members, record, records, text } from './pages/values.ts'
import { ACCOUNT_READS } from './permissions.ts'
import type { AppContext, AppState } from './session.ts'
import type { Connection } from './state.ts'

export type RouteDeps = { readonly client: TppClient; readonly journey: Journey }

const STYLE = readFileSync(join(import.meta.dirname, 'pages/style.css'), 'utf8')

export function createRouter(deps: RouteDeps): Router<AppState> {
  const router = new Router<AppState>()
  router.get('/style.css', (ctx) => {
    ctx.type = 'text/css'
    ctx.set('cache-control', 'max-age=300')
    ctx.body = STYLE
  })
  router.get('/', home(deps))
  const bank = bankRoutes(deps.client)
  // Under /banks the edge leads to the banks' own pages.
  router.get('/about/:code', bank.shown)
  router.post('/about/:code/payee', bank.asked)
  router.post('/connect', connect(deps))
  router.get('/callback', callback(deps))
  const consents = consentRoutes(deps.journey)
  router.get('/consents', consents.listed)
  router.get('/consents/:consentId', async (ctx) => {
    const isOfAccounts = kindOf(ownConnection(ctx)) === 'accounts'
    await (isOfAccounts ? dashboard(deps) : consents.one)(ctx)
  })
  router.post('/consents/:consentId/renew', consents.renewed)
  router.post('/consents/:consentId/pay', consents.paid)
  router.get('/consents/:consentId/party', party(deps))
  router.get('/consents/:consentId/accounts/:accountId/:segment', account(deps))
  router.post('/consents/:consentId/refresh', refreshData(deps))
  router.post('/consents/:consentId/revoke', consents.ended)
  router.post('/consents/:consentId/forget', consents.forgotten)
  return router
}

const home =
  ({ client }: RouteDeps): Handler =>
  async (ctx) => {
    const listed = await settle(client.lfis())
    const lfis = listed instanceof LfiFault ? [] : listed
    const servers = await Promise.all(lfis.map((lfi) => settle(client.connect(lfi))))
    const banks = lfis.map((lfi, n): BankChoice => {
      const server = servers[n]
      return { lfi, fault: server instanceof LfiFault ? server : null }
    })
    ctx.state.formTargets = servers.flatMap((server) =>
      server instanceof LfiFault ? [] : [new URL(server.authorizationEndpoint).origin],
    )
    const { session, csrf } = ctx.state.visitor
    const fault = listed instanceof LfiFault ? listed : null
    show(ctx, 'Home', homePage({ banks, connections: session.connections, fault, csrf }))
  }

const connect =
  ({ client, journey }: RouteDeps): Handler =>
  async (ctx) => {
    const { visitor, form } = ctx.state
    const offer = form.get('preset') ?? ''
    const lfi = (await client.lfis()).find((one) => one.code === form.get('lfi'))
    if (!OFFERS.has(offer) || lfi === undefined) return ctx.throw(400, 'Choose a bank and what it should do.')
    const url = await settle(journey.connect(lfi, offer, visitor.session))
    if (url instanceof LfiFault) return show(ctx, 'Not connected', problem(url, `${lfi.name} could not be asked`), 502)
    visitor.save()
    seeOther(ctx, url)
  }

const callback =
  ({ journey }: RouteDeps): Handler =>
  async (ctx) => {
    const { visitor } = ctx.state
    const connection = await settle(journey.comeBack(new URLSearchParams(ctx.querystring), visitor.session))
    visitor.save()
    if (connection instanceof LfiFault) return refusedCallback(ctx, connection)
    // The code leaves the address bar, and a reload does not play it again.
    seeOther(ctx, `/consents/${connection.consentId}`)
  }

function refusedCallback(ctx: AppContext, fault: LfiFault): void {
  const refused = fault.kind === 'oauth' && fault.code === 'access_denied'
  const content = html`${problem(fault, refused ? 'Nothing was shared' : 'The connection could not be made')}
<p><a class="button" id="start-again" href="/">Start again</a></p>`
  show(ctx, refused ? 'Refused' : 'Not connected', content, refused ? 200 : 400)
}

const dashboard =
  ({ journey }: RouteDeps): Handler =>
  async (ctx) => {
    const connection = ownConnection(ctx)
    const before = connection.tokens
    const bank = await settle(journey.lfi(connection.lfiCode))
    const consent = bank instanceof LfiFault ? bank : await settle(bank.consent(connection.consentId))
    // To renew leads to the bank.
    if (!(bank instanceof LfiFault)) ctx.state.formTargets = [new URL(bank.authorizationEndpoint).origin]
    const accounts = await settle(readAccounts(ctx, journey, connection))
    if (connection.tokens !== before) ctx.state.visitor.save()
    const view = {
      connection,
      consent: consent instanceof LfiFault ? consent : record(consent.body),
      accounts,
      refreshed: ctx.query['refreshed'] === '1' && !(accounts instanceof LfiFault),
      csrf: ctx.state.visitor.csrf,
    }
    show(ctx, connection.lfiName, dashboardPage(view))
  }

async function readAccounts(
  ctx: AppContext,
  journey: Journey,
  connection: Connection,
): Promise<readonly AccountView[]> {
  const who = present(ctx)
  const { body } = await journey.read(connection, '/accounts', who)
  return Promise.all(
    records(record(record(body)['Data'])['Account']).map(async (data): Promise<AccountView> => {
      const path = `/accounts/${encodeURIComponent(text(data['AccountId']))}/balances`
      const answer = await settle(journey.read(connection, path, who))
      if (answer instanceof LfiFault) return { account: data, balances: [], fault: answer }
      return { account: data, balances: records(record(record(answer.body)['Data'])['Balance']), fault: null }
    }),
  )
}

const account =
  ({ journey }: RouteDeps): Handler =>
  async (ctx) => {
    const connection = ownConnection(ctx)
    const { accountId = '', segment = '' } = ctx.params
    const read = ACCOUNT_READS.find((one) => one.segment === segment)
    if (read === undefined) return ctx.throw(404)
    const before = connection.tokens
    const who = present(ctx)
    const path = `/accounts/${encodeURIComponent(accountId)}`
    const signed = ctx.query['signed'] === '1'
    // Only the query of a page link travels through the browser; where it is sent is decided here.
    const page = typeof ctx.query['page'] === 'string' ? `?${new URLSearchParams(ctx.query['page'])}` : ''
    const details = await settle(journey.read(connection, path, who))
    const answer = await settle(journey.read(connection, `${path}/${segment}${page}`, { ...who, signed }))
    if (connection.tokens !== before) ctx.state.visitor.save()
    const bank = await journey.lfi(connection.lfiCode)
    const next = answer instanceof LfiFault ? null : bank.nextPath(answer.body)
    const view = {
      lfiName: connection.lfiName,
      consentId: connection.consentId,
      account: details instanceof LfiFault ? details : record(record(record(details.body)['Data'])['Account']),
      accountId,
      read,
      answer: answer instanceof LfiFault ? answer : { body: record(answer.body), signedBy: answer.signedBy },
      nextHref: next === null ? null : `?${new URLSearchParams({ page: next.split('?')[1] ?? '' })}`,
    }
    show(ctx, read.label, accountPage(view))
  }

const party =
  ({ journey }: RouteDeps): Handler =>
  async (ctx) => {
    const connection = ownConnection(ctx)
    const answer = await settle(journey.read(connection, '/parties', present(ctx)))
    ctx.state.visitor.save()
    const known: Json = answer instanceof LfiFault ? {} : record(record(record(answer.body)['Data'])['Party'])
    show(
      ctx,
      'You',
      html`<p class="crumbs"><a href="/consents/${connection.consentId}">${connection.lfiName}</a></p>
<h1>What ${connection.lfiName} knows about you</h1>
${answer instanceof LfiFault ? problem(answer, 'This cannot be shown') : html`<div id="party" class="card">${members(known)}</div>`}`,
    )
  }

const refreshData =
  ({ journey }: RouteDeps): Handler =>
  async (ctx) => {
    const connection = ownConnection(ctx)
    // A refusal here is shown by the page that follows, which reads and is refused the same way.
    await settle(journey.renewTokens(connection))
    ctx.state.visitor.save()
    seeOther(ctx, `/consents/${connection.consentId}?refreshed=1`)
  }
