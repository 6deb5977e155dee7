/** What a deployment has around the image: a database with TLS and its two accounts, settings, and who may read them. */
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { openDatabase } from '../../../src/db.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/embedded-postgres.ts'
import { Secret } from '../../../src/secret.ts'
import { unprivilegedAccount } from '../../../src/unprivileged.ts'
import { createAuthority } from '../../gateway/support/pki.ts'
import type { ConfigFiles } from '../../support/config-files.ts'
import { freePort } from '../../support/free-port.ts'

const read = (file: string): string => readFileSync(file, 'utf8')

/** The account of the image. */
export const UID = 10_001
/** Of the example configuration. */
const LISTENERS = [8443, 9443, 10443, 11443, 12443]

export type Service = {
  readonly image: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly volumes: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
}
/** Of the compose file. */
export const { services } = load(read('deploy/container/compose.yaml')) as {
  readonly services: Readonly<Record<'hub' | 'migrate' | 'database', Service>>
}
/** What the containers of a template of the chart are given, `{{ … }}` and all. */
export const argsIn = (template: string): readonly (readonly string[])[] =>
  [...read(`deploy/helm/falaj/templates/${template}.yaml`).matchAll(/^ +args: (\[.*\])$/gm)].map(
    ([, list]) => JSON.parse(list ?? '') as string[],
  )

export async function databaseWithTls(place: string, port: number) {
  const authority = await createAuthority('Database Authority')
  const server = await authority.issue({ O: 'Database', dns: 'localhost' })
  const folder = join(place, 'tls')
  mkdirSync(folder)
  const put = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o644 })
    return file
  }
  const ca = put('ca.pem', authority.certificate)
  const otherCa = put('other-ca.pem', (await createAuthority('Database Authority')).certificate)
  const [certificate, key] = [put('server.crt.pem', server.certificate), put('server.key.pem', server.key)]
  const account = unprivilegedAccount()
  if (account !== null) chownSync(key, account.uid, account.gid)
  chmodSync(key, 0o600)
  const postgres = await startEmbeddedPostgres({
    dataDirectory: join(place, 'postgres'),
    port,
    flags: ['fsync=off', 'ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`],
  })
  return [postgres, { ca, otherCa }] as const
}

/** The statements of the compose file's first start, with the owner that this server makes for a database. */
export async function rolesOfTheFirstStart(postgres: EmbeddedPostgres): Promise<void> {
  await postgres.ensureDatabase('falaj_example_owner')
  const statements = /<<'SQL'\n([\s\S]*?)\nSQL/.exec(read('deploy/container/first-start.sh'))?.[1] ?? ''
  if (!statements.includes('create role falaj_example')) throw new Error('first-start.sh makes no account')
  await asOwnerOf(postgres, 'falaj_example', statements.replace(":'password'", "'hub-password'"))
}

/** In a new database. */
export async function asOwnerOf(postgres: EmbeddedPostgres, database: string, statements: string): Promise<void> {
  const server = openDatabase({ url: postgres.adminUrl, poolMax: 1, applicationName: 'test-setup' })
  await server.raw('create database ?? owner falaj_example_owner', [database])
  await server.destroy()
  const url = new URL(postgres.adminUrl.reveal())
  url.pathname = `/${database}`
  const db = openDatabase({ url: new Secret(url.href), poolMax: 1, applicationName: 'test-setup' })
  await db.raw(statements)
  await db.destroy()
}

/** Ports that are free here; the hub announces for two seconds that it stops. */
export async function writeSettings(files: ConfigFiles, healthPort: number): Promise<void> {
  const ports = new Map(await Promise.all(LISTENERS.map(async (port) => [port, await freePort()] as const)))
  const deployment = files.deployment()
  deployment['health'] = { ...(deployment['health'] as object), port: healthPort }
  deployment['noticeSeconds'] = 2
  const tenant = files.tenant()
  for (const listener of Object.values(tenant['listeners'] as Record<string, { port: number; address?: string }>)) {
    listener.port = ports.get(listener.port) ?? 0
  }
  files.write({ deployment, tenant })
}

/** Secrets belong to the account of the hub, as the operator has given them to it. */
export function handOver(folder: string): void {
  if (process.getuid?.() !== 0) return
  chownSync(folder, UID, UID)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    chownSync(join(entry.parentPath, entry.name), UID, UID)
  }
}
