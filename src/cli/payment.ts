import { Command } from 'commander'
import { createPaymentView, type PaymentLine, type PaymentShown, type PaymentView } from '../admin/index.ts'
import { createAudit } from '../audit/index.ts'
import { systemClock } from '../clock.ts'
import { createConsentStore } from '../consent-store/index.ts'
import { OperatorError } from '../errors.ts'
import { toConsentId } from '../ids.ts'
import { createResourceLog } from '../resource-log/index.ts'
import { aboutTenant, type JsonOption, tell } from './command.ts'
import { type TenantOptions, withTenant } from './tenant.ts'

type ShowOptions = TenantOptions & JsonOption
type ListOptions = ShowOptions & { readonly unsettled?: boolean; readonly consent?: string }
const VIEWER = { actor: 'command line', interactionId: null }

export function paymentCommand(): Command {
  const payment = new Command('payment').description(
    'Payments of a tenant: how they stand, and which wait for the LFI.',
  )
  aboutTenant(payment, 'list', 'The newest payments, by their names and how they stand; never what they are for.')
    .option('--unsettled', 'only those that the LFI was asked for and has not answered')
    .option('--consent <id>', 'only those of a consent')
    .action(list)
  aboutTenant(payment, 'show', 'A payment with its history. Leaves an entry in the audit log.')
    .argument('<key-or-id>', 'idempotency key of the TPP, or id of the payment')
    .action(show)
  return payment
}

function list({ unsettled = false, consent, ...options }: ListOptions): Promise<void> {
  const consentId = toConsentId(consent)
  if (consent !== undefined && consentId === null) throw new OperatorError(`${consent} is no id of a consent`)
  return withView(options, async (view) => {
    const found = await view.list({ unsettled, consentId })
    tell(options, found, [found.map(lineOf).join('\n')])
  })
}

const show = (name: string, options: ShowOptions): Promise<void> =>
  withView(options, async (view) => {
    const found = await view.show(name, VIEWER)
    tell(options, found, [found.map(told).join('\n\n')])
  })

const lineOf = ({ askedAt, standing, paymentId, idempotencyKey, consentId, clientId }: PaymentLine): string =>
  `${askedAt}  ${standing.padEnd(11)}  ${paymentId}  key ${idempotencyKey}  consent ${consentId}  client ${clientId}`

function told(payment: PaymentShown): string {
  const rows = payment.history.map(
    ({ revision, at, change, from, to, by }) =>
      `  ${String(revision).padStart(3)}  ${at}  ${change.padEnd(12)} ${from ?? '–'} → ${to}  by ${by}`,
  )
  return [
    lineOf(payment),
    `  account ${payment.accountId}  asked for ${JSON.stringify(payment.instruction)}`,
    ...rows,
  ].join('\n')
}

function withView(options: TenantOptions, work: (view: PaymentView) => Promise<void>): Promise<void> {
  return withTenant(options, async ({ tenant, db, log }) => {
    const clock = systemClock
    const of = { db, tenantId: tenant.id, clock, audit: createAudit({ db, tenantId: tenant.id, clock, log }) }
    try {
      const resources = createResourceLog({ ...of, consents: createConsentStore(of) })
      await work(createPaymentView({ ...of, resources }))
    } finally {
      await of.audit.close()
    }
  })
}
