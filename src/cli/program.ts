/** Every command of `falaj`, once. */

import { Command } from 'commander'
import { archiveCommand } from './archive.ts'
import { auditCommand } from './audit.ts'
import { callCommand } from './call.ts'
import { certificatesCommand } from './certificates.ts'
import { clientCommand } from './client.ts'
import { configCommand } from './config.ts'
import { consentCommand } from './consent.ts'
import { dashboardCommand, settingsCommand } from './dashboard.ts'
import { deviationsCommand } from './deviations.ts'
import { hubCommand, migrateCommand } from './hub.ts'
import { keysCommand } from './keys.ts'
import { lfiCommand } from './lfi.ts'
import { outageCommand } from './outage.ts'
import { paymentCommand } from './payment.ts'
import { probeCommand } from './probe.ts'
import { complainOfUsage } from './refusal.ts'
import { explainCommand, reportCommand } from './reports.ts'
import { sandboxCommand } from './sandbox.ts'
import { proposalCommand, sessionCommand } from './session.ts'
import { statementCommand, tppCommand } from './tpp.ts'
import { webhookCommand } from './webhook.ts'
import { witnessCommand } from './witness.ts'

export function createProgram(isJson: boolean): Command {
  const program = new Command('falaj')
    .description(
      'Open-finance API hub: authorization server, gateway, consent store and audit log for each LFI it serves.',
    )
    .addCommand(sandboxCommand())
    .addCommand(hubCommand())
    .addCommand(migrateCommand())
    .addCommand(configCommand())
    .addCommand(dashboardCommand())
    .addCommand(tppCommand())
    .addCommand(statementCommand())
    .addCommand(clientCommand())
    .addCommand(consentCommand())
    .addCommand(callCommand())
    .addCommand(paymentCommand())
    .addCommand(keysCommand())
    .addCommand(certificatesCommand())
    .addCommand(deviationsCommand())
    .addCommand(probeCommand())
    .addCommand(webhookCommand())
    .addCommand(auditCommand())
    .addCommand(archiveCommand())
    .addCommand(reportCommand())
    .addCommand(outageCommand())
    .addCommand(explainCommand())
    .addCommand(lfiCommand())
    .addCommand(sessionCommand())
    .addCommand(proposalCommand())
    .addCommand(settingsCommand())
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

  leadOn(program, isJson)
  return program
}

/** Commands made in files of their own do not take this over by themselves. */
function leadOn(command: Command, isJson: boolean): void {
  complainOfUsage(command, isJson)
  for (const below of command.commands) leadOn(below, isJson)
}
