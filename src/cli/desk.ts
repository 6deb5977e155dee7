/** The acts of the portal on the command line: the same desk, over the same services. */
import { auditLogOf, createAudit } from '../audit/index.ts'
import { certificatesOf } from '../certificates.ts'
import { systemClock } from '../clock.ts'
import { createConsentStore } from '../consent-store/index.ts'
import { createDeviations } from '../deviations/index.ts'
import { createEndpoints } from '../endpoints/index.ts'
import { OperatorError } from '../errors.ts'
import { createFetchGuard } from '../fetch-guard.ts'
import { levelsOf } from '../levels.ts'
import { createConnector, createTryEndpoint } from '../lfi/index.ts'
import { createNoticeDesk } from '../notices/index.ts'
import { createParticipants } from '../participants/index.ts'
import type { CommandDesk, Done } from '../portal/index.ts'
import { createReports } from '../reports/index.ts'
import type { JsonOption } from './command.ts'
import { tell } from './command.ts'
import { type OpenTenant, type TenantOptions, withTenant } from './tenant.ts'

export type DeskOptions = TenantOptions & JsonOption

export function withDesk<T>(options: TenantOptions, work: (desk: CommandDesk) => Promise<T>): Promise<T> {
  return withTenant(options, async (open) => {
    const { desk, close } = await openDesk(open)
    try {
      return await work(desk)
    } finally {
      await close()
    }
  })
}

async function openDesk({ config, tenant, db, log }: OpenTenant) {
  // Here and not above: the other commands do not wait for what only these need.
  const { createCommandDesk } = await import('../portal/index.ts')
  const clock = systemClock
  const of = { db, tenant, tenantId: tenant.id, clock, log }
  const audit = createAudit(of)
  const participants = createParticipants({ ...of, trustFramework: config.trustFramework, audit })
  const endpoints = await createEndpoints({ ...of, audit })
  const guard = createFetchGuard([...config.outbound.allowedAddresses, ...(tenant.lfi.allowedAddresses ?? [])])
  const connector = createConnector({ ...of, moves: { endpoints, guard } })
  const deviations = createDeviations(of)
  const reports = createReports({ ...of, audit })
  const desk = createCommandDesk({
    ...of,
    environment: config.environment,
    audit,
    participants,
    // What ends a consent ends everything issued under it, in the same transaction.
    consents: createConsentStore({
      ...{ ...of, audit },
      onTerminal: async (tx, grantId) => (await import('../auth-server/index.ts')).destroyGrant(tx, grantId),
    }),
    reports,
    desk: createNoticeDesk({ ...of, audit }),
    endpoints,
    tryEndpoint: createTryEndpoint({ ...of, guard }),
    connector,
    deviations,
    certificates: certificatesOf(config, tenant),
    levels: levelsOf(db, reports, auditLogOf(tenant).witnesses),
  })
  const close = async (): Promise<void> => {
    await desk.close()
    await deviations.close()
    await endpoints.close()
    await connector.close()
    await participants.close()
    await audit.close()
  }
  return { desk, close }
}

/** What the portal asks a second person for, the command line asks for a flag. */
export const YES = ['--yes', 'needed: this is what takes two people in the portal'] as const
export type YesOption = { readonly yes?: boolean }

/** @throws OperatorError */
export function requireYes({ yes }: YesOption, what: string): void {
  if (yes !== true) throw new OperatorError(`${what}; say --yes if that is what you want`)
}

/** How an act went, where there is nothing else to say of it. */
export function tellDone(options: JsonOption, act: string, { target, before, after }: Done<unknown>): void {
  const of = target === null ? '' : ` ${target}`
  tell(options, { act, target, before, after }, [`${act}${of}: ${before ?? '–'} → ${after ?? '–'}`])
}
