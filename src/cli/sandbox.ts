/**
 * The sandbox is no part of the hub: it is started as a program of its own, and nothing of it is imported here.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'

export function sandboxCommand(): Command {
  return new Command('sandbox')
    .description(
      'A whole ecosystem on this machine: directory, two banks with a hub each, a TPP. `falaj sandbox --help` for its own commands.',
    )
    .argument('[args...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: readonly string[]) => {
      process.exitCode = await run(args)
    })
}

function run(args: readonly string[]): Promise<number> {
  const program = fileURLToPath(new URL('../../sandbox/main.ts', import.meta.url))
  // Over the channel the sandbox notices when this process is killed.
  const child = spawn(process.execPath, [program, ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  // A terminal sends Ctrl-C to both of us, a supervisor's signal reaches this process only: whichever it was, the
  // sandbox is told once to stop, and decides itself when it is done.
  process.once('SIGINT', () => child.kill('SIGTERM'))
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
