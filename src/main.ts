#!/usr/bin/env node
/** The command line `falaj`: the one way in for operators, regulators and newcomers. */
import { Command } from 'commander'
import { auditCommand } from './cli/audit.ts'
import { certificatesCommand } from './cli/certificates.ts'
import { clientCommand } from './cli/client.ts'
import { configCommand } from './cli/config.ts'
import { consentCommand } from './cli/consent.ts'
import { deviationsCommand } from './cli/deviations.ts'
import { hubCommand, migrateCommand } from './cli/hub.ts'
import { keysCommand } from './cli/keys.ts'
import { paymentCommand } from './cli/payment.ts'
import { probeCommand } from './cli/probe.ts'
import { explainCommand, outageCommand, reportCommand } from './cli/reports.ts'
import { sandboxCommand } from './cli/sandbox.ts'
import { webhookCommand } from './cli/webhook.ts'
import { witnessCommand } from './cli/witness.ts'
import { OperatorError } from './errors.ts'

const program = new Command('falaj')
  .description(
    'Open-finance API hub: authorization server, gateway, consent store and audit log for each LFI it serves.',
  )
  .addCommand(sandboxCommand())
  .addCommand(hubCommand())
  .addCommand(migrateCommand())
  .addCommand(configCommand())
  .addCommand(clientCommand())
  .addCommand(consentCommand())
  .addCommand(paymentCommand())
  .addCommand(keysCommand())
  .addCommand(certificatesCommand())
  .addCommand(deviationsCommand())
  .addCommand(probeCommand())
  .addCommand(webhookCommand())
  .addCommand(auditCommand())
  .addCommand(reportCommand())
  .addCommand(outageCommand())
  .addCommand(explainCommand())
  .addCommand(witnessCommand())
  .addHelpText(
    'after',
    `
New here?
  $ npm start                      a whole ecosystem on this machine: directory, two banks with a hub each, a TPP
  $ npm run demo                   the same journey without a browser, step by step

Operating a hub:
  $ falaj config check --config deployment.json      (config/example shows one, and what belongs to it)
  $ falaj migrate      --config deployment.json
  $ falaj hub          --config deployment.json --roles as,rs
  $ falaj keys rotate  --config deployment.json --tenant aurora --use sig
  $ falaj payment list --config deployment.json --tenant aurora --unsettled
  $ falaj deviations   --config deployment.json --tenant aurora
  $ falaj probe        --config deployment.json --tenant aurora --user layla --account acc-1
  $ falaj audit export --config deployment.json --tenant aurora --out aurora-audit
  $ falaj audit verify aurora-audit --key 'falaj/aurora+…'
  $ falaj report lfi   --config deployment.json --tenant aurora --from 2026-03-01 --to 2026-03-31 --format csv
  $ falaj outage list  --config deployment.json --tenant aurora
  $ falaj explain INTERACTION_ID --config deployment.json --tenant aurora
`,
  )

leadOn(program)
try {
  await program.parseAsync()
} catch (error) {
  // Such an error says what to mend; a stack would only bury it.
  console.error(error instanceof OperatorError ? error.message : error)
  process.exitCode = 1
}

/** Commands made in files of their own do not take this over by themselves. */
function leadOn(command: Command): void {
  command.showHelpAfterError('(add --help for what is possible)')
  command.commands.forEach(leadOn)
}
