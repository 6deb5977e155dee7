/**
 * The only place that reads configuration files and the environment. Loaded once, checked, frozen, handed down.
 * `config/*.schema.json` is both the check and the reference documentation.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import deploymentSchema from '../config/deployment.schema.json' with { type: 'json' }
import tenantSchema from '../config/tenant.schema.json' with { type: 'json' }
import type { Milliseconds, Seconds } from './clock.ts'
import type { OrganisationId, TenantId } from './ids.ts'
import type { LogLevel } from './log.ts'
import { Secret } from './secret.ts'

export type Role = 'auth' | 'as' | 'rs' | 'hh' | 'cm' | 'admin' | 'worker'
export const ROLES: readonly Role[] = ['auth', 'as', 'rs', 'hh', 'cm', 'admin', 'worker']
export type ListenerRole = Exclude<Role, 'worker'>

export type ListenerConfig = {
  readonly origin: string
  readonly address: string
  readonly port: number
  readonly certificate: string
  readonly key: Secret<string>
}
export type KeyConfig = { readonly kid: string; readonly key: Secret<string> }

export type LfiAuthentication =
  | { readonly type: 'none' }
  | {
      readonly type: 'jwt'
      readonly audience: string
      readonly kid: string
      readonly key: Secret<string>
      readonly lifetimeSeconds: Seconds
    }
  | { readonly type: 'api-key'; readonly key: Secret<string> }

/** One LFI, as configured. Files are already read: PEM text, not paths. */
export type TenantConfig = {
  readonly id: TenantId
  readonly name: string
  readonly organisationId: OrganisationId
  readonly databaseUrl: Secret<string>
  readonly listeners: Readonly<Record<ListenerRole, ListenerConfig>>
  readonly authorizationEndpoint: string
  readonly jwksUrl: string
  readonly keys: {
    readonly signing: readonly KeyConfig[]
    readonly encryption: readonly KeyConfig[]
    readonly audit: Secret<string>
  }
  readonly lfi: {
    readonly ozoneConnectUrl: string
    readonly ca: string
    readonly certificate: string
    readonly key: Secret<string>
    readonly authentication: LfiAuthentication
    readonly callerJwt: { readonly required: boolean; readonly audience: string }
    readonly connections: number
    readonly timeoutMs: Milliseconds
    readonly connectTimeoutMs: Milliseconds
    readonly responseBytesMax: number
    readonly pageSize: number
  }
  readonly activation: 'manual' | 'automatic'
  readonly fieldFilter: 'basic-detail' | 'off'
  readonly lifetimes: {
    readonly accessTokenSeconds: Seconds
    readonly requestUriSeconds: Seconds
    readonly interactionSeconds: Seconds
    readonly authorizationWindowSeconds: Seconds
  }
  readonly limits: { readonly requestsPerSecond: number; readonly bodyBytesMax: number }
}

export type TrustFrameworkConfig = {
  readonly apiUrl: string
  readonly tokenUrl: string
  readonly keystoreUrl: string
  readonly ca: string
  readonly serverCa: string | null
  readonly clientId: string
  readonly certificate: string
  readonly key: Secret<string>
  readonly cacheSeconds: Seconds
  readonly timeoutMs: Milliseconds
}

export type Config = {
  readonly environment: 'sandbox' | 'preproduction' | 'production'
  readonly roles: readonly Role[]
  readonly logLevel: LogLevel
  readonly database: { readonly poolMax: number; readonly migrate: 'on-start' | 'refuse' }
  readonly trustFramework: TrustFrameworkConfig
  readonly drainSeconds: Seconds
  readonly tenants: readonly TenantConfig[]
}

/** Names each fault with its file and path; never quotes a value, which could be a secret put in the wrong place. */
export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`configuration refused:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

type Raw = Readonly<Record<string, unknown>>
type RawSecret = { readonly file: string } | { readonly env: string }

const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: true, allowUnionTypes: true })
formats.default(ajv, ['uuid'])
const checkDeployment = ajv.compile(deploymentSchema)
const checkTenant = ajv.compile(tenantSchema)

export function loadConfig(
  file: string,
  options: { readonly roles?: readonly Role[]; readonly env?: NodeJS.ProcessEnv } = {},
): Config {
  const env = options.env ?? process.env
  const raw = readJson(file)
  // Defaults of nested objects only apply to objects that are there.
  const deployment = { log: {}, database: {}, ...raw }
  refuse(file, checkDeployment(deployment) ? [] : checkDeployment.errors)
  const read = reader(file, env)
  const trust = deployment['trustFramework' as never] as Raw
  const tenants = (deployment['tenants' as never] as string[]).map((path) => loadTenant(read.path(path), env))
  const config: Config = {
    environment: deployment['environment' as never],
    roles: options.roles ?? (deployment as { roles?: readonly Role[] }).roles ?? ROLES,
    logLevel: (deployment.log as { level: LogLevel }).level,
    database: deployment.database as Config['database'],
    trustFramework: {
      apiUrl: trust['apiUrl'] as string,
      tokenUrl: trust['tokenUrl'] as string,
      keystoreUrl: trust['keystoreUrl'] as string,
      ca: read.text(trust['caFile']),
      serverCa: trust['serverCaFile'] === undefined ? null : read.text(trust['serverCaFile']),
      clientId: trust['clientId'] as string,
      certificate: read.text(trust['certificateFile']),
      key: read.secretFile(trust['keyFile']),
      cacheSeconds: trust['cacheSeconds'] as Seconds,
      timeoutMs: trust['timeoutMs'] as Milliseconds,
    },
    drainSeconds: (deployment as unknown as { drainSeconds: Seconds }).drainSeconds,
    tenants,
  }
  const faults = [...read.faults, ...tenants.flatMap((tenant) => tenant.faults), ...unsafe(config), ...clashes(config)]
  if (faults.length > 0) throw new ConfigError(faults)
  return deepFreeze(config)
}

function loadTenant(file: string, env: NodeJS.ProcessEnv): TenantConfig & { readonly faults: readonly string[] } {
  const tenant = { lifetimes: {}, limits: {}, ...readJson(file) } as Raw
  refuse(file, checkTenant(tenant) ? [] : checkTenant.errors)
  const read = reader(file, env)
  const keys = tenant['keys'] as { signing: RawKey[]; encryption?: RawKey[]; audit: { keyFile: string } }
  const lfi = tenant['lfi'] as Raw
  const caller = (lfi['callerJwt'] ?? { required: false }) as { required: boolean; audience?: string }
  const listeners = Object.entries(tenant['listeners'] as Record<ListenerRole, Raw>).map(([role, listener]) => [
    role,
    {
      origin: listener['origin'],
      address: listener['address'],
      port: listener['port'],
      certificate: read.text(listener['certificateFile']),
      key: read.secretFile(listener['keyFile']),
    },
  ])
  return {
    id: tenant['id'] as TenantId,
    name: tenant['name'] as string,
    organisationId: tenant['organisationId'] as OrganisationId,
    databaseUrl: read.secret((tenant['database'] as { url: RawSecret }).url),
    listeners: Object.fromEntries(listeners) as TenantConfig['listeners'],
    authorizationEndpoint: tenant['authorizationEndpoint'] as string,
    jwksUrl: tenant['jwksUrl'] as string,
    keys: {
      signing: keys.signing.map((key) => ({ kid: key.kid, key: read.secretFile(key.keyFile) })),
      encryption: (keys.encryption ?? []).map((key) => ({ kid: key.kid, key: read.secretFile(key.keyFile) })),
      audit: read.secretFile(keys.audit.keyFile),
    },
    lfi: {
      ozoneConnectUrl: lfi['ozoneConnectUrl'] as string,
      ca: read.text(lfi['caFile']),
      certificate: read.text(lfi['certificateFile']),
      key: read.secretFile(lfi['keyFile']),
      authentication: lfiAuthentication(lfi['authentication'] as Raw, read),
      callerJwt: { required: caller.required, audience: caller.audience ?? (tenant['id'] as string) },
      connections: lfi['connections'] as number,
      timeoutMs: lfi['timeoutMs'] as Milliseconds,
      connectTimeoutMs: lfi['connectTimeoutMs'] as Milliseconds,
      responseBytesMax: lfi['responseBytesMax'] as number,
      pageSize: lfi['pageSize'] as number,
    },
    activation: tenant['activation'] as TenantConfig['activation'],
    fieldFilter: tenant['fieldFilter'] as TenantConfig['fieldFilter'],
    lifetimes: tenant['lifetimes'] as TenantConfig['lifetimes'],
    limits: tenant['limits'] as TenantConfig['limits'],
    faults: read.faults,
  }
}

type RawKey = { readonly kid: string; readonly keyFile: string }

function lfiAuthentication(raw: Raw, read: Reader): LfiAuthentication {
  if (raw['type'] === 'jwt') {
    return {
      type: 'jwt',
      audience: raw['audience'] as string,
      kid: raw['kid'] as string,
      key: read.secretFile(raw['keyFile']),
      lifetimeSeconds: (raw['lifetimeSeconds'] ?? 30) as Seconds,
    }
  }
  return raw['type'] === 'api-key' ? { type: 'api-key', key: read.secret(raw['key'] as RawSecret) } : { type: 'none' }
}

/** Values that only a laptop may have. */
function unsafe(config: Config): readonly string[] {
  if (config.environment === 'sandbox') return []
  const only = (what: string) => `${what} is allowed in the sandbox only, and environment is ${config.environment}`
  return [
    ...(config.logLevel === 'trace' || config.logLevel === 'debug' ? [only(`log.level ${config.logLevel}`)] : []),
    ...config.tenants.flatMap((tenant) => [
      ...(tenant.activation === 'automatic' ? [only(`tenant ${tenant.id}: activation automatic`)] : []),
      ...Object.entries(tenant.listeners)
        .filter(([, listener]) => /^https:\/\/(localhost|127\.|\[::1\])/.test(listener.origin))
        .map(([role]) => only(`tenant ${tenant.id}: listeners.${role}.origin on the loopback`)),
      ...(/[?&]sslmode=disable/.test(tenant.databaseUrl.reveal())
        ? [only(`tenant ${tenant.id}: database.url with sslmode=disable`)]
        : []),
    ]),
  ]
}

function clashes(config: Config): readonly string[] {
  const seen = new Map<string, string>()
  const faults: string[] = []
  const claim = (what: string, owner: string) => {
    const other = seen.get(what)
    if (other !== undefined) faults.push(`${owner} and ${other} both have ${what}`)
    seen.set(what, owner)
  }
  const databases = new Map<string, string>()
  for (const tenant of config.tenants) {
    const url = tenant.databaseUrl.reveal()
    const other = databases.get(url)
    if (other !== undefined) faults.push(`tenants ${other} and ${tenant.id} have the same database.url`)
    databases.set(url, tenant.id)
    claim(`tenant id ${tenant.id}`, `tenant ${tenant.name}`)
    for (const [role, listener] of Object.entries(tenant.listeners))
      claim(`origin ${listener.origin}`, `${tenant.id}.${role}`)
  }
  return faults
}

type Reader = ReturnType<typeof reader>

function reader(file: string, env: NodeJS.ProcessEnv) {
  const faults: string[] = []
  const path = (name: string) => (isAbsolute(name) ? name : resolve(dirname(file), name))
  const text = (name: unknown): string => {
    const at = path(name as string)
    if (existsSync(at)) return readFileSync(at, 'utf8')
    faults.push(`${file}: file ${at} does not exist`)
    return ''
  }
  const secret = (ref: RawSecret): Secret<string> => {
    if ('file' in ref) return new Secret(text(ref.file).trim())
    const value = env[ref.env]
    if (value === undefined || value === '') faults.push(`${file}: environment variable ${ref.env} is not set`)
    return new Secret(value ?? '')
  }
  return { faults, path, text, secret, secretFile: (name: unknown) => new Secret(text(name)) }
}

function readJson(file: string): Raw {
  if (!existsSync(file)) throw new ConfigError([`${file}: no such file`])
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Raw
  } catch (cause) {
    throw new ConfigError([`${file}: not JSON (${(cause as Error).message.replace(/".*?"/g, '…')})`])
  }
}

function refuse(file: string, errors: readonly ErrorObject[] | null | undefined): void {
  if (!errors || errors.length === 0) return
  throw new ConfigError(errors.map((error) => `${file}: ${describe(error)}`))
}

function describe(error: ErrorObject): string {
  const at = error.instancePath.slice(1).replaceAll('/', '.')
  const member = (name: unknown) => (at === '' ? String(name) : `${at}.${String(name)}`)
  if (error.keyword === 'additionalProperties') return `unknown key ${member(error.params['additionalProperty'])}`
  if (error.keyword === 'required') return `missing key ${member(error.params['missingProperty'])}`
  if (error.keyword === 'enum') return `${at} must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}`
  return `${at} ${error.message ?? 'is not acceptable'}`
}

function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || value instanceof Secret || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
