import { Command } from 'commander'
import { certificatesOf, daysLeft, type OwnCertificate, urgencyOf } from '../certificates.ts'
import { type Instant, iso, systemClock } from '../clock.ts'
import { loadConfig } from '../config.ts'
import { tenantIn } from './tenant.ts'

type Options = { readonly config: string; readonly tenant: string; readonly json?: boolean }

export function certificatesCommand(): Command {
  return new Command('certificates')
    .description("A tenant's own certificates: of its listeners, towards the LFI and towards the directory.")
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .option('--json', 'as one JSON array')
    .addHelpText('after', '\nExit status: 0, or 1 where one ends within seven days or has ended.')
    .action((options: Options) => {
      const config = loadConfig(options.config)
      const now = systemClock.now()
      const all = certificatesOf(config, tenantIn(config, options.tenant))
      if (options.json === true)
        console.log(
          JSON.stringify(
            all.map((each) => toldOf(each, now)),
            null,
            2,
          ),
        )
      else for (const each of all) console.log(lineOf(each, now))
      const isUrgent = all.some((each) => ['urgent', 'over'].includes(urgencyOf(each, now)))
      process.exitCode = isUrgent ? 1 : 0
    })
}

const toldOf = (each: OwnCertificate, now: Instant) => ({
  ...each,
  expiresAt: iso(each.expiresAt),
  days: daysLeft(each.expiresAt, now),
  urgency: urgencyOf(each, now),
})

const lineOf = (each: OwnCertificate, now: Instant): string =>
  `${urgencyOf(each, now).padEnd(6)}  ${String(daysLeft(each.expiresAt, now)).padStart(5)} days  ${iso(each.expiresAt)}  ${each.name.padEnd(16)}  ${each.subject}`
