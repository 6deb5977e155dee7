/** The example configuration in a folder of its own, with throw-away keys in every place that it names. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createAuthority } from '../gateway/support/pki.ts'
import type { Json } from './json-paths.ts'

export type ConfigFiles = {
  readonly folder: string
  readonly deploymentFile: string
  readonly tenantFile: string
  /** Copies, to be changed at will and written with `write`. */
  deployment(): Json
  tenant(): Json
  /** Writes both files, changed. */
  write(changed: { readonly deployment?: unknown; readonly tenant?: unknown }): void
  close(): void
}

export const EXAMPLE_ENV = {
  EXAMPLE_DATABASE_URL: 'postgres://falaj_example:hunter2@db.internal/falaj_example?sslmode=verify-full',
}

export async function writeConfigFiles(): Promise<ConfigFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'falaj-config-'))
  cpSync('config/example', folder, { recursive: true })
  const deploymentFile = join(folder, 'deployment.json')
  const tenantFile = join(folder, 'tenants', 'example.json')
  const keys = await makeKeys()
  for (const file of [deploymentFile, tenantFile]) writeKeys(file, readJson(file), keys)
  const originals = { deployment: readFileSync(deploymentFile, 'utf8'), tenant: readFileSync(tenantFile, 'utf8') }
  return {
    folder,
    deploymentFile,
    tenantFile,
    deployment: () => JSON.parse(originals.deployment) as Json,
    tenant: () => JSON.parse(originals.tenant) as Json,
    write: ({ deployment, tenant }) => {
      writeFileSync(deploymentFile, deployment === undefined ? originals.deployment : JSON.stringify(deployment))
      writeFileSync(tenantFile, tenant === undefined ? originals.tenant : JSON.stringify(tenant))
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

type Keys = Awaited<ReturnType<typeof makeKeys>>

async function makeKeys() {
  const authority = await createAuthority('Example Authority')
  return {
    authority: authority.certificate,
    pair: await authority.issue({ O: 'Example', OU: randomUUID(), dns: 'localhost' }),
    rsa: pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    ed25519: pem(generateKeyPairSync('ed25519').privateKey),
  }
}

export const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

/** What kind of file a key names follows from its neighbours. */
function writeKeys(file: string, part: unknown, keys: Keys, parent = ''): void {
  if (part === null || typeof part !== 'object') return
  const at = part as Json
  const put = (name: string, text: string): void => {
    if (typeof at[name] !== 'string') return
    const path = resolve(dirname(file), at[name])
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { mode: 0o600 })
  }
  put('caFile', keys.authority)
  put('serverCaFile', keys.authority)
  put('certificateFile', keys.pair.certificate)
  put('keyFile', 'certificateFile' in at ? keys.pair.key : parent === 'audit' ? keys.ed25519 : keys.rsa)
  for (const [name, child] of Object.entries(at)) writeKeys(file, child, keys, name)
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
