import { Command } from 'commander'
import { certificatesOf, daysLeft, type KnownCertificate, urgencyOf } from '../certificates.ts'
import { type Instant, iso, systemClock } from '../clock.ts'
import { loadConfig } from '../config.ts'
import { type JsonOption, ofTenant, tell } from './command.ts'
import { type TenantOptions, tenantIn } from './tenant.ts'

type Options = TenantOptions & JsonOption

export function certificatesCommand(): Command {
  return ofTenant(new Command('certificates'))
    .description(
      "A tenant's own certificates, of its listeners, towards the LFI and towards the directory, and the authorities that it believes.",
    )
    .addHelpText('after', '\nExit status: 0, or 1 where one ends within seven days or has ended.')
    .action((options: Options) => {
      const config = loadConfig(options.config)
      const now = systemClock.now()
      const all = certificatesOf(config, tenantIn(config, options.tenant))
      const lines = all.map((each) => lineOf(each, now))
      tell(
        options,
        all.map((each) => toldOf(each, now)),
        lines,
      )
      const isUrgent = all.some((each) => ['urgent', 'over'].includes(urgencyOf(each, now)))
      process.exitCode = isUrgent ? 1 : 0
    })
}

const toldOf = (each: KnownCertificate, now: Instant) => ({
  ...each,
  expiresAt: iso(each.expiresAt),
  days: daysLeft(each.expiresAt, now),
  urgency: urgencyOf(each, now),
})

const lineOf = (each: KnownCertificate, now: Instant): string =>
  `${urgencyOf(each, now).padEnd(6)}  ${String(daysLeft(each.expiresAt, now)).padStart(5)} days  ${iso(each.expiresAt)}  ${each.name.padEnd(24)}  ${each.subject}`
