/** Everything that a person has agreed to in this browser: seen, renewed, paid under, ended. */
import { type Handler, ownConnection, seeOther, settle, show } from './answering.ts'
import { LfiFault } from './errors.ts'
import { type Journey, kindOf } from './journey.ts'
import { type ConsentView, consentPage, consentsPage } from './pages/consents.ts'
import { problem } from './pages/problem.ts'
import { record } from './pages/values.ts'
import type { AppContext } from './session.ts'
import type { Connection } from './state.ts'

type Acts = Readonly<Record<'listed' | 'one' | 'renewed' | 'paid' | 'ended' | 'forgotten', Handler>>

export const consentRoutes = (journey: Journey): Acts => ({
  listed: async (ctx) => {
    const { session, csrf } = ctx.state.visitor
    const consents = await Promise.all(session.connections.map((one) => viewOf(ctx, journey, one)))
    show(ctx, 'Your consents', consentsPage({ consents: consents.toReversed(), csrf }))
  },
  one: async (ctx) => {
    const consent = await viewOf(ctx, journey, ownConnection(ctx))
    show(ctx, consent.connection.lfiName, consentPage({ consent, csrf: ctx.state.visitor.csrf }))
  },
  renewed: async (ctx) => {
    const connection = ownConnection(ctx)
    const url = await settle(journey.renew(connection, ctx.state.visitor.session))
    if (url instanceof LfiFault) return show(ctx, 'Not renewed', problem(url, 'The consent was not renewed'), 502)
    ctx.state.visitor.save()
    seeOther(ctx, url)
  },
  paid: async (ctx) => {
    const connection = ownConnection(ctx)
    if (kindOf(connection) !== 'payments') return ctx.throw(400, 'Nothing is paid under this consent.')
    const fault = await settle(journey.pay(connection))
    ctx.state.visitor.save()
    if (fault instanceof LfiFault) return show(ctx, 'Not paid', problem(fault, 'It was not paid'), 502)
    seeOther(ctx, `/consents/${connection.consentId}`)
  },
  ended: async (ctx) => {
    const connection = ownConnection(ctx)
    const bank = await journey.lfi(connection.lfiCode)
    const answer = await settle(bank.revoke(connection.consentId, 'TPP.InitiatedByUser', kindOf(connection)))
    if (answer instanceof LfiFault) return show(ctx, 'Not revoked', problem(answer, 'The consent was not revoked'), 502)
    seeOther(ctx, `/consents/${connection.consentId}`)
  },
  forgotten: async (ctx) => {
    const connection = ownConnection(ctx)
    const { session, save } = ctx.state.visitor
    session.connections = session.connections.filter((one) => one !== connection)
    save()
    seeOther(ctx, '/')
  },
})

/** As the hub holds it now. A form of the page that shows it may lead to its bank. */
async function viewOf(ctx: AppContext, journey: Journey, connection: Connection): Promise<ConsentView> {
  const kind = kindOf(connection)
  const read = async (): Promise<unknown> => {
    const bank = await journey.lfi(connection.lfiCode)
    ctx.state.formTargets = [...ctx.state.formTargets, new URL(bank.authorizationEndpoint).origin]
    return (await bank.consent(connection.consentId, { kind })).body
  }
  const body = await settle(read())
  const news = ctx.state.visitor.notices.filter(({ consentId }) => consentId === connection.consentId)
  return { connection, kind, consent: body instanceof LfiFault ? body : record(body), news }
}
