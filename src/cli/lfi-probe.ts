/** Whether the LFI is there: the short question of the portal. All operations against the contract: `falaj probe`. */
import type { Command } from 'commander'
import { iso } from '../clock.ts'
import { aboutTenant, tell } from './command.ts'
import { type DeskOptions, withDesk } from './desk.ts'

export function addLfiProbe(lfi: Command): void {
  aboutTenant(lfi, 'probe', 'Ask whether the LFI is there (/hello, /hello-mtls); `falaj probe` asks for everything.')
    .addHelpText('after', '\nExit status: 0 it answers, 1 it does not.')
    .action((options: DeskOptions) =>
      withDesk(options, async (desk) => {
        await desk.act('lfi.probe', {})
        const all = (await desk.rooms.probes.list()).map(({ at, ...each }) => ({ ...each, at: iso(at) }))
        const lines = all.map(
          ({ path, ok, ms, detail }) =>
            `${ok ? 'ok  ' : 'FAIL'}  ${path}  ${Math.round(ms)} ms${detail === null ? '' : `  ${detail}`}`,
        )
        tell(options, all, lines)
        process.exitCode = all.every(({ ok }) => ok) ? 0 : 1
      }),
    )
}
