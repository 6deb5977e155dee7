import { Command, InvalidArgumentError } from 'commander'
import { type ConsentAt, createConsentView, type HistoryRow } from '../admin/index.ts'
import { iso } from '../clock.ts'
import { CONSENT_STATUSES, type Consent, type ConsentStatus } from '../consent-store/index.ts'
import { HubError } from '../errors.ts'
import { toConsentId } from '../ids.ts'
import { aboutTenant, tell } from './command.ts'
import { type DeskOptions, tellDone, withDesk } from './desk.ts'

type ShowOptions = DeskOptions & { readonly at?: string }
type SearchOptions = DeskOptions & {
  readonly id?: string
  readonly user?: string
  readonly account?: string
  readonly tpp?: string
  readonly state?: ConsentStatus
  readonly after?: string
}

export function consentCommand(): Command {
  const consent = new Command('consent').description('Consents of a tenant, now and at any moment of their past.')
  aboutTenant(consent, 'show', 'What a consent was at a moment, and who made it so. Leaves an entry in the audit log.')
    .argument('<consent-id>', 'as the TPP chose it')
    .option('--at <time>', 'date-time with an offset; now, if absent')
    .action(show)
  aboutTenant(consent, 'search', 'The newest that are all of what is asked for; a person leaves an audit entry.')
    .option('--id <consent-id>', 'this one, and nothing else is asked')
    .option('--user <id>', "the LFI's id of the customer")
    .option('--account <id>', 'one that the consent names')
    .option('--tpp <client-id>', 'the client that it was given to')
    .option('--state <state>', `one of ${CONSENT_STATUSES.join(', ')}`, stateOf)
    .option('--after <place>', 'the next page: `next` of the one before')
    .action(search)
  aboutTenant(consent, 'revoke', 'End a consent on behalf of the bank, and with it all that was issued under it.')
    .argument('<consent-id>', 'as the TPP chose it')
    .requiredOption('--by <who>', 'LFI, or LFI.InitiatedByUser where its customer came to the bank')
    .action((id: string, options: DeskOptions & { readonly by: string }) =>
      withDesk(options, async (desk) => {
        const done = await desk.act('consent.revoke', { id, revokedBy: options.by })
        tellDone(options, 'consent.revoke', done)
      }),
    )
  return consent
}

function show(id: string, options: ShowOptions): Promise<void> {
  return withDesk(options, async ({ rooms, by }) => {
    const view = createConsentView({ ...rooms, tenantId: rooms.tenant.id })
    const found = await view.showAt(id, options.at ?? null, by.operator)
    const history = (await view.history(id, by.operator)).filter(({ revision }) => revision <= found.revision)
    tell(options, { ...found, history }, [told(found, history)])
  })
}

function search(options: SearchOptions): Promise<void> {
  const { id, user, account, tpp, state, after } = options
  if (id !== undefined && toConsentId(id) === null) {
    throw new HubError('Resource.InvalidFormat', { reason: `${id} is no id of a consent`, path: 'id' })
  }
  return withDesk(options, async ({ rooms, by }) => {
    const { CONSENTS_PER_PAGE, findConsents, placeOf } = await import('../portal/index.ts')
    const question = { id: id ?? '', customer: user ?? '', account: account ?? '', tpp: tpp ?? '' }
    const all = await findConsents(rooms, { ...question, state: state ?? '', after: after ?? '' }, by.operator)
    const last = all.length === CONSENTS_PER_PAGE ? all.at(-1) : undefined
    const next = last === undefined ? null : placeOf(last)
    const consents = all.map(foundOf)
    const lines = consents.map(
      (each) => `${each.id}  ${each.status.padEnd(21)}  ${each.type}  ${each.tppName}  ${each.createdAt}`,
    )
    tell(options, { consents, next }, [...lines, ...(next === null ? [] : [`older ones: --after '${next}'`])])
  })
}

/** What tells one from another; all of it: `falaj consent show`. */
const foundOf = ({ id, type, status, clientId, tpp, createdAt, expiresAt }: Consent) => ({
  ...{ id, type, status, clientId, tppName: String(tpp['tppName'] ?? clientId) },
  ...{ createdAt: iso(createdAt), expiresAt: iso(expiresAt) },
})

function stateOf(text: string): ConsentStatus {
  const known = CONSENT_STATUSES.find((each) => each === text)
  if (known === undefined) throw new InvalidArgumentError(`one of ${CONSENT_STATUSES.join(', ')}`)
  return known
}

function told({ at, record, revision }: ConsentAt, history: readonly HistoryRow[]): string {
  const lines = history.map(
    (row) =>
      `  ${String(row.revision).padStart(3)}  ${row.at}  ${row.change.padEnd(12)} ${row.from ?? '–'} → ${row.to}  by ${row.by.by}${row.by.clientId === null ? '' : ` ${row.by.clientId}`}${wordsOf(row)}`,
  )
  return [
    `${record['id']}  ${record['status']}  at ${at} (revision ${revision})`,
    ...lines,
    '',
    JSON.stringify(record, null, 2),
  ].join('\n')
}

function wordsOf({ set }: HistoryRow): string {
  const names = Object.keys(set)
  return names.length === 0 ? '' : `: ${names.join(', ')}`
}
