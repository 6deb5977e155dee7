/** Everything of one TPP at one bank that others might want: consents in every state of their journey, and what follows. */
import { randomUUID } from 'node:crypto'
import { createAudit } from '../../../src/audit/index.ts'
import { systemClock } from '../../../src/clock.ts'
import { inTransaction } from '../../../src/db.ts'
import type { AccountId, ClientId, ConsentId, OrganisationId, TenantId } from '../../../src/ids.ts'
import { createResourceLog, type RequestKind } from '../../../src/resource-log/index.ts'
import { schedules } from '../../gateway/support/payments.ts'
import type { Flow } from '../../profiles/support/flow.ts'
import type { Party, ProfileWorld } from '../../profiles/support/world.ts'
import { madePayment } from '../../unit/consent-store/payments.ts'
import { TPP, testStore } from '../../unit/consent-store/support.ts'
import { agreedOf, INSURANCE, paymentFor, pushedOf } from './journeys.ts'

export type Victim = Awaited<ReturnType<typeof createVictim>>

const ACCOUNTS = '/open-finance/account-information/v2.1/accounts'
const [userId, accountId] = ['user-7', 'acc-1']
const OF_USER = { psuIdentifiers: { userId }, accountIds: [accountId] }

export async function createVictim(world: ProfileWorld, flow: Flow) {
  const owner = world.parties.uae
  const waiting = await pushedOf(flow, owner)
  const begun = await pushedOf(flow, owner)
  const { client_id, request_uri } = { client_id: owner.clientId, request_uri: begun.requestUri }
  const auth = await flow.hh('GET', `/auth?${new URLSearchParams({ client_id, request_uri })}`)
  const { interactionId } = (auth.json() as { interaction: { interactionId: string } }).interaction
  const agreed = (members: Record<string, unknown> = {}, granted: Record<string, unknown> = OF_USER) =>
    agreedOf(flow, owner, members, granted)
  const coded = await agreed()
  const used = await agreed()
  const tokens = await used.tokens()
  const paying = await agreed(paymentFor(schedules().delegated))
  const filing = await agreed(paymentFor(schedules().file))
  const insured = await agreed(INSURANCE, { psuIdentifiers: { userId }, insurancePolicyIds: ['policy-1'] })
  const call = async (path: string): Promise<string> => {
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    const answer = await world.call('rs', { path, certificate: owner.certificate, headers })
    return String(answer.headers['x-fapi-interaction-id'])
  }
  const ids = [waiting, begun, coded, used, paying, filing, insured].map(({ consentId }) => consentId)
  return {
    ...{ owner, waiting, begun: { ...begun, interactionId }, coded, used: { ...used, ...given(tokens) } },
    ...{ paying, filing, insured, userId, accountId, ids },
    ...(await resourcesOf(world, owner, paying.consentId, filing.consentId)),
    callId: await call(ACCOUNTS),
    refusalId: await call(`${ACCOUNTS}/nobodys`),
    noticeId: String((await world.db('outbox').whereIn('consent_id', ids).first('id'))?.id),
  }
}

const given = (tokens: { readonly access_token: string; readonly refresh_token: string }) => ({
  accessToken: tokens.access_token,
  refreshToken: tokens.refresh_token,
})

/** Payments, quotes and an opening, as the gateway would have recorded them. */
async function resourcesOf({ db, log: silent }: ProfileWorld, owner: Party, paying: string, filing: string) {
  const by = { clientId: owner.clientId as ClientId, organisationId: owner.organisationId as OrganisationId }
  const hub = testStore(db)
  const audit = createAudit({ db, tenantId: 'aurora' as TenantId, clock: systemClock, log: silent })
  const unit = { db, tenantId: 'aurora' as TenantId, clock: systemClock, audit, consents: hub.store }
  const log = createResourceLog(unit)
  const account = { ...by, accountId: accountId as AccountId }
  const payment = await madePayment(db, log, paying as ConsentId, account)
  const file = await madePayment(db, log, filing as ConsentId, { ...account, paymentType: 'cbuae-file-payment' })
  const requests = { 'fx-quote': randomUUID(), 'account-opening': randomUUID(), 'insurance-quote': randomUUID() }
  for (const [kind, resourceId] of Object.entries(requests) as [RequestKind, string][]) {
    const asked = { kind, resourceId, ...by, status: 'Pending', subscription: null, echoed: {} }
    await inTransaction(db, (tx) => log.recordRequest(tx, asked, TPP))
  }
  await audit.close()
  await hub.close()
  const { idempotencyKey, paymentId } = payment
  return { paymentId, filePaymentId: file.paymentId, idempotencyKey, requests }
}
