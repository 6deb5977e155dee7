/** The command line of the sandbox: `npm start`, `npm run demo`, and what belongs to them. */
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError, Option } from 'commander'
import { forget, onceIn, runningIn } from './data-folder.ts'
import { runDemo } from './demo/demo.ts'
import { agreeAtBank, askAtBank } from './demo/hands.ts'
import { seedTraffic } from './demo/seed.ts'
import type { Manifest } from './manifest.ts'
import { type Sandbox, SandboxError, type SandboxOptions, startSandbox } from './orchestrator.ts'
import { DEFAULT_BASE_PORT } from './topology.ts'
import { LFI_CODES, type LfiCode } from './trust-framework/ecosystem.ts'

const DATA_DIR = fileURLToPath(new URL('../.falaj/sandbox', import.meta.url))
/** Highest offset of the topology. */
const PORTS_NEEDED = 61

type Options = { readonly port: number; readonly data: string; readonly fresh?: boolean; readonly perRole?: boolean }

const program = new Command('falaj sandbox')
  .description(
    'A complete open-finance ecosystem on this machine: trust framework, two banks with a hub each, and a TPP.',
  )
  .showHelpAfterError('(add --help for what is possible)')
const command = (name: string, description: string, isDefault = false) =>
  program
    .command(name, { isDefault })
    .description(description)
    .addOption(
      new Option('--port <base>', 'base port; everything is at fixed offsets from it')
        .env('FALAJ_SANDBOX_PORT')
        .argParser(port)
        .default(DEFAULT_BASE_PORT),
    )
    .option('--data <folder>', 'where keys, databases and state are kept', DATA_DIR)

command('start', 'Start it and keep it running until Ctrl-C. State is kept between starts.', true)
  .option('--fresh', 'begin anew: forget every consent, key and log entry of earlier runs')
  .option('--per-role', 'run each hub as one process per role, as a deployment might')
  .action(start)
command(
  'demo',
  'Walk the whole journey without a browser. Uses the running sandbox, or starts one for the purpose.',
).action(demo)
command('ask', 'Be the TPP: push a request, and print the address that the customer is sent to.')
  .option('--bank <code>', LFI_CODES.join(' or '), 'aurora')
  .option('--payment', 'for one payment, to which several may have to agree, instead of accounts to read')
  .action(ask)
command(
  'approve',
  'Be the customer without a browser: sign in at the bank, approve all, and say where it sends one back.',
)
  .argument('<address>', 'of the authorization endpoint, as pushing a request gave it')
  .option('--user <name>', 'a test user of that bank', 'layla')
  .action(approve)
command('reset', 'Delete everything the sandbox has kept.').action(async ({ data }: Options) => {
  await forget(data)
  console.log(`deleted ${data}`)
})

/** What to do when the program that started this one is gone: nobody would ever stop it. */
let orphaned = (): void => process.exit(1)
process.once('disconnect', () => orphaned())
// Listening for that must not be what keeps a finished command alive.
process.channel?.unref()

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof SandboxError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

async function start(options: Options): Promise<void> {
  const began = performance.now()
  const sandbox = await startSandbox(settingsOf(options))
  printWelcome(sandbox, performance.now() - began)
  // Beside whatever is done meanwhile; nothing depends on it.
  onceIn(options.data, () => seedTraffic(sandbox.manifest)).catch(() => undefined)
  const failed = sandbox.failed.then(({ name, logFile }) => `${name} ended on its own (see ${logFile})`)
  const reason = await Promise.race([untilAsked(), failed])
  console.log(`\n${reason ?? 'asked to stop'}; stopping …`)
  await sandbox.close()
  console.log('stopped. Everything is kept for the next start; `npm start -- --fresh` begins anew.')
  process.exit(reason === null ? 0 : 1)
}

async function demo(options: Options): Promise<void> {
  const running = await runningIn(options.data)
  if (running !== null) {
    process.exit(await runDemo(running, console.log))
  }
  const sandbox = await startSandbox(settingsOf(options))
  const stopped = untilAsked().then(() => 130)
  const status = await Promise.race([runDemo(sandbox.manifest, console.log), stopped])
  await sandbox.close()
  process.exit(status)
}

async function ask(asked: Options & { readonly bank: string; readonly payment?: true }): Promise<void> {
  const { data, bank, payment } = asked
  const manifest = await isRunning(data)
  const lfi = manifest.lfis[bank as LfiCode]
  if (lfi === undefined) throw new SandboxError(`no bank ${bank}: ${LFI_CODES.join(', ')}`)
  console.log(await askAtBank(manifest, lfi, payment === true ? 'payment' : 'accounts'))
}

async function approve(address: string, { data, user }: Options & { readonly user: string }): Promise<void> {
  console.log(await agreeAtBank(await isRunning(data), address, user))
}

async function isRunning(data: string): Promise<Manifest> {
  const manifest = await runningIn(data)
  if (manifest === null) throw new SandboxError('no sandbox is running from this folder: npm start')
  return manifest
}

function settingsOf(options: Options): SandboxOptions {
  return {
    dataDir: options.data,
    basePort: options.port,
    fresh: options.fresh ?? false,
    perRole: options.perRole === true ? LFI_CODES : [],
    progress: (what) => console.log(`· ${what} …`),
  }
}

/** Before this is called a signal simply ends the process, and every participant notices and ends as well. */
function untilAsked(): Promise<null> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => {
      // The second Ctrl-C does not wait.
      process.once('SIGINT', () => process.exit(130))
      resolve(null)
    })
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(null))
    orphaned = () => resolve(null)
  })
}

function printWelcome({ manifest, manifestFile }: Sandbox, ms: number): void {
  const users = Object.entries(manifest.lfis).flatMap(([code, lfi]) => [
    `  ${lfi.name} (${code})`,
    ...lfi.users.map((user) => `    ${user.username.padEnd(10)} ${user.password.padEnd(12)} ${user.story}`),
  ])
  const people = Object.values(manifest.lfis).flatMap((lfi) => [
    `  ${lfi.name}`,
    ...lfi.people.map((each) => `    ${each.username.padEnd(10)} ${each.password.padEnd(12)} ${each.roles.join(', ')}`),
  ])
  console.log(`
The sandbox is up (${(ms / 1000).toFixed(1)} s).

  Open       ${manifest.edge}
             Your browser will warn: the certificate is of the sandbox's own authority. Go on, or trust
             ${manifest.trustFramework.caFile}

  Reference  ${manifest.edge}reference/
  Directory  ${manifest.trustFramework.url}/
${Object.values(manifest.lfis)
  .map((lfi) => `  Hub        ${lfi.discovery}   ${lfi.name}`)
  .join('\n')}

${Object.values(manifest.lfis)
  .map(({ portal, name }) => `  Portal     ${portal}   ${name}, for its own people`)
  .join('\n')}

  Test users (name, password, story)
${users.join('\n')}

  People of the portals (name, password, roles)
${people.join('\n')}

  For your own client: ${manifestFile}
  Ctrl-C stops everything.
`)
}

function port(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1024 || value > 65_535 - PORTS_NEEDED) {
    throw new InvalidArgumentError(`a base port is a number from 1024 to ${65_535 - PORTS_NEEDED}`)
  }
  return value
}
