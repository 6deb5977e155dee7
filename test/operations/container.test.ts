/**
 * The image, the compose file and the chart start what is started here: the folder that the Dockerfile describes, its
 * command, an ordinary account that may write nowhere, and a database with TLS in which it has the least rights.
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
import { join } from 'node:path'
import { promisify } from 'node:util'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROLES } from '../../src/config.ts'
import { openDatabase } from '../../src/db.ts'
import type { EmbeddedPostgres } from '../../src/embedded-postgres.ts'
import { Secret } from '../../src/secret.ts'
import { blockIn } from '../docs/guide.ts'
import { type ConfigFiles, writeConfigFiles } from '../support/config-files.ts'
import { freePort } from '../support/free-port.ts'
import {
  argsIn,
  asOwnerOf,
  databaseWithTls,
  handOver,
  rolesOfTheFirstStart,
  services,
  UID,
  writeSettings,
} from './support/deployment.ts'

const read = (file: string): string => readFileSync(file, 'utf8')
const DOCKERFILE = read('deploy/container/Dockerfile')
const ARGUMENTS = /^CMD (\[.*\])$/m.exec(DOCKERFILE)?.[1]
const HUB = JSON.parse(ARGUMENTS ?? 'null') as readonly string[]
const MIGRATE = HUB.map((each) => (each === 'hub' ? 'migrate' : each))
/** Of the chart alone: what writes, may write there and nowhere else. */
const ARCHIVE = [
  ...HUB.slice(0, HUB.indexOf('src/main.ts')),
  '--allow-fs-write=/archive/*',
  ...['src/main.ts', 'archive', 'run', '--config', '/etc/falaj/deployment.json', '--tenant', '{{ . }}'],
  ...['--to', '/archive/{{ . }}'],
]
const BOOT_MS = 120_000
const QUOTE_OF_LONG_AGO = `
  insert into service_request (kind, resource_id, client_id, organisation_id, echoed, status, created_at, status_changed_at,
    updated_at, revision)
  values ('fx-quote', 'q-1', 'c', 'o', '{}', 'Expired', '2015-01-01', '2015-01-01', '2015-01-01', 1)`
describe('every way to start it', () => {
  test('has the command of the image', () => {
    expect(/^ENTRYPOINT (.*)$/m.exec(DOCKERFILE)?.[1]).toBe('["node"]')
    expect(HUB).toEqual(expect.arrayContaining(['--permission', 'src/main.ts', 'hub']))
    expect(services.hub.command).toEqual(HUB)
    expect(services.migrate.command).toEqual(MIGRATE)
    expect(services.hub.healthcheck?.test.filter((each) => /\s/.test(each))).toEqual([])
    expect(argsIn('hub')).toEqual([[...HUB, '--roles', '{{ .roles }}']])
    expect(argsIn('migrate')).toEqual([MIGRATE])
    expect(argsIn('archive')).toEqual([ARCHIVE])
  })

  test('is of an account without rights on a file system that is read-only', () => {
    expect(/^USER (.*)$/m.exec(DOCKERFILE)?.[1]).toBe(`${UID}:${UID}`)
    for (const { read_only, cap_drop, security_opt } of [services.hub, services.migrate]) {
      expect({ read_only, cap_drop, security_opt }).toEqual({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
    }
    for (const file of ['hub', 'migrate', 'archive']) {
      const template = read(`deploy/helm/falaj/templates/${file}.yaml`)
      expect(template).toContain(`runAsNonRoot: true, runAsUser: ${UID}, runAsGroup: ${UID}`)
      expect(template).toContain(
        'readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: [ALL] }',
      )
    }
  })

  test('has the Node.js of the packages', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: { node: string } }
    const images = [...DOCKERFILE.matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name, image]) => [name, image])
    expect(images).toEqual([
      ['NODE_IMAGE', `node:${dependencies.node}-bookworm-slim`],
      ['BASE_IMAGE', 'debian:bookworm-slim'],
    ])
    expect([...DOCKERFILE.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)).toEqual(
      images.map(([name]) => `\${${name}}`),
    )
  })

  test('is of the version of the package', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string }
    expect(/org\.opencontainers\.image\.version="(.*)"/.exec(DOCKERFILE)?.[1]).toBe(version)
    expect([services.migrate.image, services.hub.image]).toEqual([`falaj:${version}`, `falaj:${version}`])
    expect(load(read('deploy/helm/falaj/values.yaml'))).toMatchObject({ image: { repository: 'falaj', tag: version } })
    expect(load(read('deploy/helm/falaj/Chart.yaml'))).toMatchObject({ version, appVersion: version })
    expect(read('docs/operator.md')).toContain(`\ndocker build -f deploy/container/Dockerfile -t falaj:${version} .\n`)
  })

  test('serves all roles in the chart, and each once', () => {
    const { groups } = load(read('deploy/helm/falaj/values.yaml')) as { groups: readonly { roles: string }[] }
    expect(groups.flatMap(({ roles }) => roles.split(',')).sort()).toEqual([...ROLES].sort())
  })
})

describe('the image', () => {
  let files: ConfigFiles
  let image: string
  let postgres: EmbeddedPostgres
  let place: string
  let healthPort: number
  let databasePort: number
  let tls: { readonly ca: string; readonly otherCa: string }
  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), 'falaj-image-'))
    chmodSync(place, 0o755)
    image = join(place, 'opt-falaj')
    layOut(image)
    databasePort = await freePort()
    healthPort = await freePort()
    ;[postgres, tls] = await databaseWithTls(place, databasePort)
    await rolesOfTheFirstStart(postgres)
    files = await writeConfigFiles()
    await writeSettings(files, healthPort)
    handOver(files.folder)
  }, BOOT_MS)
  afterAll(async () => {
    await postgres.stop()
    files.close()
    rmSync(place, { recursive: true, force: true })
  })

  const urlFor = (role: string, secret: Secret<string> | string, ca: string, host = 'localhost'): string => {
    const password = typeof secret === 'string' ? secret : new URL(secret.reveal()).password
    return `postgres://${role}:${password}@${host}:${databasePort}/falaj_example?sslmode=verify-full&sslrootcert=${ca}`
  }
  const owner = (ca = tls.ca, host?: string) => ({
    EXAMPLE_OWNER_URL: urlFor('falaj_example_owner', postgres.databaseUrl('falaj_example_owner'), ca, host),
  })
  const run = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    spawn(process.execPath, [...args.map((each) => (each.startsWith('/etc/falaj/') ? files.deploymentFile : each))], {
      cwd: image,
      env: { NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(process.getuid?.() === 0 ? { uid: UID, gid: UID } : {}),
    })
  const finished = async (child: ReturnType<typeof run>) => {
    let said = ''
    for (const pipe of [child.stdout, child.stderr]) pipe?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [status] = (await once(child, 'close')) as [number | null]
    return { status, said }
  }

  test(
    'does not migrate over a connection whose server it cannot trust',
    async () => {
      const foreign = await finished(run(MIGRATE, owner(tls.otherCa)))
      expect([foreign.status, foreign.said]).toEqual([1, expect.stringMatching(/certificate/)])
      const elsewhere = await finished(run(MIGRATE, owner(tls.ca, '127.0.0.1')))
      expect([elsewhere.status, elsewhere.said]).toEqual([
        1,
        expect.stringMatching(/IP: 127\.0\.0\.1 is not in the cert/),
      ])
    },
    BOOT_MS,
  )

  test(
    'migrates as the owner, serves with the rights of the hub, says how it is, and stops when asked',
    async () => {
      const migrated = await finished(run(MIGRATE, owner()))
      expect([migrated.status, migrated.said]).toEqual([0, expect.stringMatching(/^example: applied 0001-audit/)])

      const hub = run(HUB, { EXAMPLE_DATABASE_URL: urlFor('falaj_example', 'hub-password', tls.ca) })
      const ended = finished(hub)
      const health = (path: string) => fetch(`http://127.0.0.1:${healthPort}/health/${path}`)
      const body = await Promise.race([untilAnswered(() => health('ready')), ended.then(({ said }) => said)])
      expect(body).toEqual({ status: 'ready' })
      expect(await (await health('live')).json()).toEqual({ status: 'up' })
      expect((await health('elsewhere')).status).toBe(404)
      expect((await fetch(`http://127.0.0.1:${healthPort}/health/ready`, { method: 'POST' })).status).toBe(405)
      // What compose asks.
      const [, ...asked] = services.hub.healthcheck?.test ?? []
      const script = (asked.at(-1) ?? '').replace('8081', String(healthPort))
      await promisify(execFile)(process.execPath, ['-e', script])

      hub.kill('SIGTERM')
      await untilSaid(async () => (await (await health('ready')).json()) as object)
      const { status, said } = await ended
      expect([status, said.split('\n').filter((line) => /"level":[56]0/.test(line))]).toEqual([0, []])
      expect(said).toContain('"msg":"stopped"')
    },
    BOOT_MS,
  )

  test(
    'is started as the guide for operators has it, with the accounts that it makes',
    async () => {
      const own = (text: string) => text.replaceAll('falaj_example', 'falaj_second')
      await asOwnerOf(postgres, 'falaj_second', own(blockIn('docs/operator.md', 'create role')).replace('…', 'second'))
      const tenant = read(files.tenantFile)
      writeFileSync(files.tenantFile, tenant.replace('"grantTo":"falaj_example"', '"grantTo":"falaj_second"'))
      const bin = join(place, 'bin')
      mkdirSync(bin)
      const shim = [process.execPath, ...HUB.slice(0, HUB.indexOf('hub')), '"$@"'].join(' ')
      writeFileSync(join(bin, 'falaj'), `#!/bin/sh\nexec ${shim}\n`, { mode: 0o755 })
      const commands = blockIn('docs/operator.md', 'falaj migrate').replaceAll(
        '/etc/falaj/deployment.json',
        files.deploymentFile,
      )
      const shell = spawn('bash', ['--norc', '-euc', commands], {
        cwd: image,
        detached: true,
        env: {
          PATH: `${bin}:${process.env['PATH']}`,
          EXAMPLE_OWNER_URL: owner().EXAMPLE_OWNER_URL.replace(/falaj_example\?/, 'falaj_second?'),
          EXAMPLE_DATABASE_URL: urlFor('falaj_second', 'second', tls.ca).replace(/falaj_example\?/, 'falaj_second?'),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(process.getuid?.() === 0 ? { uid: UID, gid: UID } : {}),
      })
      const ended = finished(shell)
      const ready = () => fetch(`http://127.0.0.1:${healthPort}/health/ready`)
      expect(await Promise.race([untilAnswered(ready), ended.then(({ said }) => said)])).toEqual({ status: 'ready' })
      process.kill(-(shell.pid ?? expect.fail('it never ran')), 'SIGTERM')
      const { said } = await ended
      writeFileSync(files.tenantFile, tenant)
      expect(said).toMatch(/^example: applied 0001-audit/)
      expect(said).toContain('"msg":"stopped"')
    },
    BOOT_MS,
  )

  test(
    'archives as the owner, and can write nowhere but where it is told to',
    async () => {
      const volume = join(place, 'archive')
      mkdirSync(volume)
      if (process.getuid?.() === 0) chownSync(volume, UID, UID)
      const at = (folder: string) =>
        ARCHIVE.map((each) => each.replace('{{ . }}', 'example').replace(/(?<==|^)\/archive/, folder))
      const db = openDatabase({ url: new Secret(owner().EXAMPLE_OWNER_URL), poolMax: 1, applicationName: 'test' })
      await db.raw(QUOTE_OF_LONG_AGO)
      await db.destroy()
      const elsewhere = at(volume).map((each) => (each === `${volume}/example` ? join(place, 'other') : each))
      const refused = await finished(run(elsewhere, owner()))
      expect([refused.status, refused.said]).toEqual([1, expect.stringMatching(/Access to this API|permission/i)])
      const archived = await finished(run(at(volume), owner()))
      expect([archived.status, archived.said]).toEqual([0, expect.stringMatching(/0 consents, 0 payments, 1 requests/)])
      expect(readdirSync(join(volume, 'example'))).toHaveLength(2)
    },
    BOOT_MS,
  )

  const untilAnswered = async (ask: () => Promise<Response>): Promise<unknown> => {
    for (;;) {
      const answer = await ask().catch(() => null)
      if (answer?.ok) return answer.json()
      await new Promise((done) => setTimeout(done, 100))
    }
  }
  /** While it serves on, so that whoever distributes calls can turn to others. */
  const untilSaid = async (ask: () => Promise<object>): Promise<void> => {
    while (JSON.stringify(await ask()) !== '{"status":"not-ready","failing":{"example":["stopping"]}}') {
      await new Promise((done) => setTimeout(done, 20))
    }
  }
})

/** As the Dockerfile does: packages without what is only for development or optional, and the folders that it copies. */
function layOut(image: string): void {
  mkdirSync(image, { recursive: true })
  const ignored = read('.dockerignore')
  for (const [, from] of DOCKERFILE.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
    for (const name of (from ?? '').split(' ')) {
      expect(ignored, `.dockerignore lets ${name} through`).toMatch(new RegExp(`^!${name}(/|$)`, 'm'))
      if (name === 'config') {
        mkdirSync(join(image, name))
        for (const file of readdirSync(name).filter((each) => each.endsWith('.json'))) {
          cpSync(join(name, file), join(image, name, file))
        }
      } else cpSync(name, join(image, name), { recursive: true })
    }
  }
  const listed = execFileSync('npm', ['ls', '--omit=dev', '--omit=optional', '--all', '--parseable'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const packages = listed.split('\n').flatMap((path) => /\/(node_modules\/(?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1] ?? [])
  // The image has its own Node.js, and no scripts of packages run.
  const own = (path: string): boolean => /^node_modules\/node($|-)/.test(path)
  for (const path of new Set(packages)) if (!own(path)) cpSync(path, join(image, path), { recursive: true })
}
