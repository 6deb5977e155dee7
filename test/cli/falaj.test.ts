/** `falaj` as a user sees it: every run is a process, and what counts is what it prints and how it ends. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { falaj, type Ran } from '../support/cli.ts'
import { type ConfigFiles, EXAMPLE_ENV, writeConfigFiles } from '../support/config-files.ts'
import { commandNamed, falajSaid } from './commands.ts'

/** Every command, with a word that its help must hold. */
const COMMANDS: readonly [string, string][] = [
  ['sandbox', 'start'],
  ['sandbox start', '--fresh'],
  ['sandbox demo', '--port'],
  ['sandbox ask', 'TPP'],
  ['sandbox approve', 'customer'],
  ['sandbox reset', '--data'],
  ['hub', '--roles'],
  ['migrate', '--config'],
  ['config', 'schema'],
  ['config check', '--config'],
  ['config schema', 'tenant'],
  ['client', 'activate'],
  ['client list', '--tenant'],
  ['client activate', '<client-id>'],
  ['client deactivate', '<client-id>'],
  ['client block', '<client-id>'],
  ['dashboard', '--tenant'],
  ['settings', '--tenant'],
  ['tpp', 'block-all'],
  ['tpp list', '--json'],
  ['tpp activate', '<organisation-id>'],
  ['tpp block', '<organisation-id>'],
  ['tpp block-all', '--yes'],
  ['statement', 'activate'],
  ['statement activate', '<software-statement-id>'],
  ['statement block', '<software-statement-id>'],
  ['session', 'list'],
  ['session list', '--json'],
  ['session end', '<handle>'],
  ['session end-all', '<subject>'],
  ['proposal', 'list'],
  ['proposal list', '--state'],
  ['proposal reject', '<id>'],
  ['lfi', 'probe'],
  ['lfi probe', 'Exit status: 0 it answers'],
  ['call', 'search'],
  ['call search', '--refused'],
  ['call show', '<interaction-id>'],
  ['certificates', 'Exit status'],
  ['keys', 'rotate'],
  ['keys list', '--tenant'],
  ['keys rotate', '--yes-clients-may-break'],
  ['keys retire', '<kid>'],
  ['keys rewrap', '--config'],
  ['keys import', '--by-reference'],
  ['audit', 'verify'],
  ['audit verify', 'Exit status: 0 verified'],
  ['audit verify-now', 'Exit status: 0 verified'],
  ['audit export', '--out'],
  ['audit erase', '--config'],
  ['audit key', '--config'],
  ['archive', 'run'],
  ['archive run', '--older-than'],
  ['archive check', 'Exit status: 0 it is whole'],
  ['archive find', '<id>'],
  ['audit receipt', 'verify'],
  ['audit receipt verify', '--key'],
  ['consent', 'show'],
  ['consent show', '--at'],
  ['consent search', '--account'],
  ['consent revoke', '--by'],
  ['payment', 'list'],
  ['payment list', '--unsettled'],
  ['payment show', '<key-or-id>'],
  ['webhook', 'redeliver'],
  ['webhook list', '--state'],
  ['webhook redeliver', '<id>'],
  ['report', 'recompute'],
  ['report lfi', '--format'],
  ['report daily', '--format'],
  ['report hourly', '--format'],
  ['report consents', '--format'],
  ['report payments', '--format'],
  ['report billing', '--format'],
  ['report versions', '--format'],
  ['report times', '--format'],
  ['report raw', '--format'],
  ['report fields', '--help'],
  ['report recompute', '--tenant'],
  ['report destroy', '--tenant'],
  ['outage', 'plan'],
  ['outage plan', '--tenant'],
  ['outage begin', '--tenant'],
  ['outage end', '<id>'],
  ['outage list', '--tenant'],
  ['explain', '<interaction-id>'],
  ['lfi show', '--json'],
  ['lfi endpoints', 'reset'],
  ['lfi endpoints show', '--json'],
  ['lfi endpoints set', '<url>'],
  ['lfi endpoints reset', '<name>'],
  ['deviations', '--tenant'],
  ['probe', '--account'],
  ['witness', '--config'],
]
const AT_ONCE = 3

/** A few at a time: each takes a processor for half a second. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of waiting) await work(item)
    }),
  )
}

/** The sandbox is a program of its own; all others are asked where they are. */
const isOfSandbox = (command: string): boolean => command.split(' ', 1)[0] === 'sandbox'

async function helpOfProcess(command: string): Promise<string> {
  const { status, out, err } = await falaj([...command.split(' '), '--help'])
  expect([status, err], command).toEqual([0, ''])
  return out
}

function helpOf(command: string): string {
  const found = commandNamed(createProgram(false), command)
  let out = ''
  found.configureOutput({
    writeOut: (text) => {
      out += text
    },
  })
  found.outputHelp()
  return out
}

describe('help', () => {
  test('names every command, for newcomers and for operators', async () => {
    const { status, out, err } = await falaj(['--help'])
    expect([status, err]).toEqual([0, ''])
    for (const name of new Set(COMMANDS.map(([command]) => command.split(' ')[0] ?? ''))) {
      expect(out).toMatch(new RegExp(`^  ${name}\\b.*\\S`, 'm'))
    }
    expect(out).toMatch(/npm start[\s\S]*npm run demo/)
  })

  test('of every command is there, and of its groups complete', async () => {
    await each(COMMANDS, async ([command, word]) => {
      const out = isOfSandbox(command) ? await helpOfProcess(command) : helpOf(command)
      expect(out, command).toContain(word)
      expect(out, command).toContain(`Usage: falaj ${command}`)
      const listed = [...(out.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name)
      const below = COMMANDS.flatMap(([other]) =>
        other.startsWith(`${command} `) ? [other.slice(command.length + 1)] : [],
      )
      const known = below.filter((name) => !name.includes(' '))
      expect(listed.filter((name) => name !== 'help').sort(), command).toEqual(known.sort())
    })
    // A process for each of the sandbox's.
  }, 60_000)

  test('is what a user gets who asks for nothing', async () => {
    const { status, err } = await falaj([])
    expect(status).toBe(1)
    expect(err).toContain('Usage: falaj')
  })
})

test('is a program of its own, as `npx falaj` runs it', async () => {
  const { PATH = '' } = process.env
  const { stdout } = await promisify(execFile)('./src/main.ts', ['--help'], {
    env: { PATH: [dirname(process.execPath), PATH].join(delimiter) },
  })
  expect(stdout).toContain('Usage: falaj')
})

describe('a mistake', () => {
  const MISTAKES: readonly [string, RegExp, number][] = [
    ['frobnicate', /unknown command 'frobnicate'/, 1],
    ['sandbx', /Did you mean sandbox\?/, 1],
    ['client lst', /Did you mean list\?/, 1],
    ['hub', /required option '--config <file>' not specified/, 1],
    ['hub --config x --rols as', /unknown option '--rols'\n\(Did you mean --roles\?\)/, 1],
    ['hub --config x --roles as,gate', /no such role: gate/, 1],
    ['hub --config x --roles', /argument missing/, 1],
    ['config schema both', /which must be deployment or tenant/, 1],
    ['client block --config x --tenant y', /missing required argument 'client-id'/, 1],
    ['sandbox strat', /too many arguments for 'start'/, 1],
    ['sandbox start --port 80', /a base port is a number from 1024/, 1],
    ['audit verify', /name an export, or a live log/, 2],
  ]
  test('is told in a sentence that leads on, without a stack', async () => {
    await each(MISTAKES, async ([command, sentence, expected]) => {
      const { status, out, err } = await (isOfSandbox(command) ? falaj : falajSaid)(command.split(' '))
      expect([status, out], command).toEqual([expected, ''])
      expect(err, command).toMatch(sentence)
      expect(err, command).toMatch(/\(add --help for what is possible\)/)
      expect(err, command).not.toMatch(/\n\s+at /)
    })
  })
})

describe('config', () => {
  let files: ConfigFiles
  beforeAll(async () => {
    files = await writeConfigFiles()
  })
  afterAll(() => files.close())
  const check = (env = EXAMPLE_ENV): Promise<Ran> => falaj(['config', 'check', '--config', files.deploymentFile], env)

  test('check accepts the example with keys in all its places', async () => {
    files.write({})
    expect(await check()).toEqual({
      status: 0,
      out: `${files.deploymentFile}: good (production; tenants example)\n`,
      err: '',
    })
  })

  test('check names every fault and its file, and no secret', async () => {
    const tenant = { ...files.tenant(), activation: 'automatic', database: { url: { env: 'EXAMPLE_DATABASE_URL' } } }
    files.write({ tenant })
    writeFileSync(join(files.folder, 'keys', 'example', 'audit.key.pem'), 'hunter2')
    const { status, out, err } = await check({ EXAMPLE_DATABASE_URL: 'postgres://u:hunter2@db/x' })
    expect([status, out]).toEqual([1, ''])
    expect(err).toMatch(/^configuration refused:\n {2}- .*audit\.key\.pem holds no PEM private key/)
    expect(err).toContain('tenant example: activation automatic is allowed in the sandbox only')
    expect(err).toContain('database.url without sslmode=verify-full')
    expect(err).not.toMatch(/hunter2|\n\s+at /)
  })

  test('schema prints the description that the check follows', async () => {
    for (const which of ['deployment', 'tenant']) {
      const { status, out } = await falaj(['config', 'schema', which])
      expect([status, JSON.parse(out)]).toEqual([
        0,
        JSON.parse(readFileSync(`config/${which}.schema.json`, 'utf8')) as unknown,
      ])
    }
  })
})
