import { Command } from 'commander'
import { createWitnessState, loadWitnessConfig, startWitness } from '../audit/index.ts'
import { systemClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { untilAskedToStop } from './stop.ts'

export function witnessCommand(): Command {
  return new Command('witness')
    .description('Cosign the audit logs of hubs, as long as they only grow. For an LFI, a TPP or a regulator to run.')
    .requiredOption('--config <file>', 'JSON: name, keyFile, stateFile, logs, port; see docs/audit/format.md')
    .option('--init', 'begin with an empty memory; fails when there is one')
    .action(async (options: { config: string; init?: boolean }) => {
      const config = loadWitnessConfig(options.config)
      if (options.init === true) await createWitnessState(config.stateFile)
      const log = createLog({ level: 'info', name: 'falaj-witness' })
      const witness = await startWitness(config, { clock: systemClock, log })
      log.info({ port: witness.port, publicKey: config.signer.verifier.text }, 'witness is up')
      // A parent that started this process may wait for the word.
      process.send?.('ready')
      log.info({ signal: await untilAskedToStop() }, 'stopping')
      await witness.close()
      log.flush()
    })
}
