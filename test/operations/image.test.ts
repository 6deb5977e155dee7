/**
 * The image is built with the words of the operator's guide, and started with those of the compose file and the chart:
 * as its account, on a read-only file system, beside a database with TLS in which it has the least rights.
 */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EmbeddedPostgres } from '../../src/embedded-postgres.ts'
import { blockIn } from '../docs/guide.ts'
import { packages } from '../policy/packages.ts'
import { type ConfigFiles, writeConfigFiles } from '../support/config-files.ts'
import { freePort } from '../support/free-port.ts'
import { findBuilder, makeBaseImages } from './support/builder.ts'
import {
  argsIn,
  databaseWithTls,
  handOver,
  rolesOfTheFirstStart,
  type Service,
  services,
  UID,
  writeSettings,
} from './support/deployment.ts'

const builder = findBuilder()
const title = typeof builder === 'string' ? `the built image (skipped: ${builder})` : 'the built image'
const BOOT_MS = 300_000
const START_MS = 120_000
const DOCKERFILE = readFileSync('deploy/container/Dockerfile', 'utf8')
const baseOf = (name: string): string => new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(DOCKERFILE)?.[1] ?? ''
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const { groups } = load(readFileSync('deploy/helm/falaj/values.yaml', 'utf8')) as {
  readonly groups: readonly { readonly name: string; readonly roles: string }[]
}
/** What may lie in a checkout and is nobody else's. */
const PRIVATE = [
  '.env',
  '.npmrc',
  'deploy/container/secrets/database-owner',
  'deploy/container/config/deployment.json',
  'config/example/keys/audit.key.pem',
  'node_modules/left-behind/index.js',
]

/** Run inside: every file and folder of ours with its mode, owner and size, and which package it describes if it does. */
const LIST = `
  const packageOf = (path) => {
    if (!/(^|\\/)node_modules\\/(@[^/]+\\/)?[^/]+\\/package\\.json$/.test(path)) return undefined
    const { name, version } = JSON.parse(fs.readFileSync('/opt/falaj/' + path, 'utf8'))
    return name + '@' + version
  }
  const listed = fs.readdirSync('/opt/falaj', { recursive: true }).flatMap((path) => {
    const { mode, uid, size } = fs.lstatSync('/opt/falaj/' + path)
    return (mode & 0o170000) === 0o120000 ? [] : [{ path, mode: mode & 0o777, uid, size, package: packageOf(path) }]
  })
  console.log(JSON.stringify(listed))`
type Listed = {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly size: number
  readonly package?: string
}
/** Run inside: what comes of a new file in each folder of the root's file system. */
const WRITE_EVERYWHERE = `
  const { dev } = fs.statSync('/')
  const came = new Set()
  let folders = 0
  const walk = (at) => {
    folders++
    try { fs.writeFileSync(at + '/new-file', ''); came.add('written: ' + at) } catch ({ code }) { came.add(code) }
    for (const each of fs.readdirSync(at, { withFileTypes: true })) {
      const path = at + (at === '/' ? '' : '/') + each.name
      try { if (each.isDirectory() && fs.statSync(path).dev === dev) walk(path) } catch { /* not for this account to read */ }
    }
  }
  walk('/')
  console.log(JSON.stringify({ folders: folders > 100, came: [...came] }))`
/** Run inside: what the process itself is. */
const FIRST_PROCESS = `
  const of = (name) => new RegExp('^' + name + ':\\\\s+(\\\\S+)', 'm').exec(fs.readFileSync('/proc/1/status', 'utf8'))[1]
  console.log(JSON.stringify({ command: fs.readFileSync('/proc/1/cmdline', 'utf8').split('\\0').slice(0, -1),
    ids: [of('Uid'), of('Gid')].map(Number), rights: ['CapPrm', 'CapEff', 'CapBnd'].map(of), noNew: of('NoNewPrivs') }))`

describe.skipIf(typeof builder === 'string')(title, () => {
  let files: ConfigFiles
  let postgres: EmbeddedPostgres
  let place: string
  let healthPort: number
  let databasePort: number
  let listed: readonly Listed[]
  let docker: (...args: readonly string[]) => string
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    if (typeof builder === 'string') return
    docker = builder.docker
    env = builder.env
    place = mkdtempSync(join(tmpdir(), 'falaj-image-'))
    chmodSync(place, 0o755)
    makeBaseImages(builder, { node: baseOf('NODE_IMAGE'), base: baseOf('BASE_IMAGE') })
    const checkout = join(place, 'checkout')
    checkOut(checkout)
    execFileSync('bash', ['-euo', 'pipefail', '-c', blockIn('docs/operator.md', 'docker build')], {
      cwd: checkout,
      env,
      stdio: 'pipe',
    })
    listed = JSON.parse(docker('run', '--rm', '--entrypoint', 'node', `falaj:${version}`, '-e', LIST)) as Listed[]
    databasePort = await freePort()
    healthPort = await freePort()
    const [server, tls] = await databaseWithTls(place, databasePort)
    postgres = server
    await rolesOfTheFirstStart(postgres)
    files = await writeConfigFiles()
    await writeSettings(files, healthPort)
    cpSync(tls.ca, join(files.folder, 'db-ca.pem'))
    handOver(files.folder)
  }, BOOT_MS)
  afterAll(async () => {
    if (typeof builder === 'string') return
    await postgres?.stop()
    files?.close()
    builder.close()
    rmSync(place, { recursive: true, force: true })
  }, BOOT_MS)

  const urlOf = (role: string, password: string): string =>
    `postgres://${role}:${password}@localhost:${databasePort}/falaj_example?sslmode=verify-full&sslrootcert=/etc/falaj/db-ca.pem`
  const urls = (): Readonly<Record<string, string>> => ({
    EXAMPLE_OWNER_URL: urlOf(
      'falaj_example_owner',
      new URL(postgres.databaseUrl('falaj_example_owner').reveal()).password,
    ),
    EXAMPLE_DATABASE_URL: urlOf('falaj_example', 'hub-password'),
  })
  /** As the compose file says; `args` where the chart says otherwise. */
  const start = (name: string, service: Service, folder = files.folder, args = service.command) => {
    const run = ['run', '--rm', '--name', name, '--network', 'host', ...flagsOf(service, folder), service.image]
    const child = spawn('docker', [...run, ...args], { env: { ...env, ...urls() }, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (chunk: Buffer) => (said += chunk.toString()))
    return once(child, 'close').then(([status]) => ({ status: status as number | null, said }))
  }
  const ready = async (ended: Promise<{ readonly said: string }>, port = healthPort): Promise<string> => {
    let over: string | null = null
    void ended.then(({ said }) => (over = said))
    while (over === null) {
      const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null)
      if (answer?.ok) return answer.text()
      await new Promise((done) => setTimeout(done, 100))
    }
    return over
  }
  const asked = (name: string, script: string, ...flags: readonly string[]): unknown =>
    JSON.parse(docker('exec', ...flags, name, 'node', '-e', script))

  test('starts what the compose file and the chart start, as their account', () => {
    const { Config } = JSON.parse(docker('image', 'inspect', `falaj:${version}`))[0] as {
      Config: Readonly<Record<string, unknown>>
    }
    expect(Config).toMatchObject({
      User: `${UID}:${UID}`,
      Entrypoint: ['node'],
      Cmd: services.hub.command,
      StopSignal: 'SIGTERM',
      Labels: { 'org.opencontainers.image.version': version },
    })
    expect(Config['Env']).toEqual([expect.stringMatching(/^PATH=/), 'NODE_ENV=production'])
  })

  test('holds what is run and nothing else, which all may read and only root could change', () => {
    expect([...new Set(listed.map(({ path }) => path.split('/')[0]))].sort()).toEqual(
      [
        'LICENSE',
        'THIRD-PARTY.md',
        'config',
        'node_modules',
        'package-lock.json',
        'package.json',
        'schemas',
        'src',
      ].sort(),
    )
    const odd = listed.filter(({ mode, uid }) => uid !== 0 || (mode & 0o466) !== 0o444)
    expect(odd).toEqual([])
    expect(listed.filter(({ path }) => path === 'src/main.ts')).toHaveLength(1)
    expect(listed.filter(({ path }) => PRIVATE.includes(path) || /^config\/.*\/|left-behind/.test(path))).toEqual([])
    expect(listed.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(64 * 2 ** 20)
  })

  test('has the packages that the lock file says a deployment runs, and none for development', () => {
    const wanted = packages().filter(({ isForDevelopment, isOptional }) => !isForDevelopment && !isOptional)
    const held = listed.flatMap((each) => each.package ?? [])
    expect(held.sort()).toEqual(wanted.map(({ name, version }) => `${name}@${version}`).sort())
  })

  test(
    'migrates as the owner, serves as its account, may write nowhere, and stops when asked',
    async () => {
      expect(await start('falaj-migrate', services.migrate)).toEqual({
        status: 0,
        said: expect.stringMatching(/^example: applied 0001-audit/),
      })
      const ended = start('falaj-hub', services.hub)
      expect(await ready(ended)).toBe('{"status":"ready"}')
      expect(asked('falaj-hub', FIRST_PROCESS)).toEqual({
        command: ['node', ...services.hub.command],
        ids: [UID, UID],
        rights: Array.from({ length: 3 }, () => '0'.repeat(16)),
        noNew: '1',
      })
      expect(asked('falaj-hub', WRITE_EVERYWHERE)).toEqual({ folders: true, came: ['EROFS'] })
      expect(asked('falaj-hub', WRITE_EVERYWHERE, '--user', '0')).toEqual({ folders: true, came: ['EROFS'] })
      const [, ...check] = services.hub.healthcheck?.test ?? []
      docker('exec', 'falaj-hub', ...check.map((each) => each.replace('8081', String(healthPort))))
      docker('stop', '--time', '60', 'falaj-hub')
      const { status, said } = await ended
      expect([status, said.split('\n').filter((line) => /"level":[56]0/.test(line))]).toEqual([0, []])
      expect(said).toContain('"msg":"stopped"')
    },
    START_MS,
  )

  test(
    'serves as the groups of the chart, side by side',
    async () => {
      const [args = []] = argsIn('hub')
      await Promise.all(
        groups.map(async ({ name, roles }) => {
          const own = await settingsOf(name)
          const ended = start(
            name,
            services.hub,
            own.folder,
            args.map((each) => each.replace('{{ .roles }}', roles)),
          )
          expect(await ready(ended, own.healthPort), name).toBe('{"status":"ready"}')
          await promisify(execFile)('docker', ['stop', '--time', '60', name], { env })
          const { status, said } = await ended
          expect([status, said], name).toEqual([0, expect.stringContaining('"msg":"stopped"')])
        }),
      )
    },
    START_MS,
  )

  /** With a health port of its own, since they share those of this machine. */
  async function settingsOf(name: string) {
    const [folder, healthPort] = [join(place, name), await freePort()]
    cpSync(files.folder, folder, { recursive: true })
    const file = join(folder, 'deployment.json')
    const deployment = JSON.parse(readFileSync(file, 'utf8')) as { readonly health: object }
    writeFileSync(file, JSON.stringify({ ...deployment, health: { ...deployment.health, port: healthPort } }))
    handOver(folder)
    return { folder, healthPort }
  }
})

/** What git has, as somebody has it who lets nobody else read it; and what must not leave the machine. */
function checkOut(to: string): void {
  const ours = readdirSync('.').filter((name) => !['node_modules', '.git', '.falaj', 'coverage'].includes(name))
  for (const name of ours) cpSync(name, join(to, name), { recursive: true })
  for (const name of PRIVATE) {
    mkdirSync(dirname(join(to, name)), { recursive: true })
    writeFileSync(join(to, name), 'private')
  }
  for (const each of readdirSync(to, { recursive: true, withFileTypes: true })) {
    const path = join(each.parentPath, each.name)
    chownSync(path, UID + 1, UID + 1)
    chmodSync(path, each.isDirectory() ? 0o700 : 0o600)
  }
}

/** Of a service, as the words of a single container. Other engines give it no place to write, and so this one. */
const flagsOf = (service: Service, configuration: string): readonly string[] => [
  ...(service.read_only === true ? ['--read-only', '--read-only-tmpfs=false'] : []),
  ...(service.cap_drop ?? []).flatMap((each) => ['--cap-drop', each]),
  ...(service.security_opt ?? []).flatMap((each) => ['--security-opt', each.replace(':true', '')]),
  ...Object.keys(service.environment).flatMap((name) => ['--env', name]),
  ...service.volumes.flatMap((each) => ['--volume', each.replace('./config', configuration)]),
]
