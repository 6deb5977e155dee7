/**
 * The only place that reads configuration files and the environment. Loaded once, checked, frozen, handed down.
 * `config/*.schema.json` is both the check and the reference documentation.
 */
import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import deploymentSchema from '../config/deployment.schema.json' with { type: 'json' }
import tenantSchema from '../config/tenant.schema.json' with { type: 'json' }
import type { Seconds } from './clock.ts'
import { createFiles, type Files, whyUnreadable } from './config/files.ts'
import { PURPOSE_CODES } from './config/purpose-codes.ts'
import type { RawAuthentication, RawDeployment, RawPortal, RawTenant, RawTls } from './config/raw.ts'
import { judge } from './config/rules.ts'
import {
  type Config,
  type KeyConfig,
  type LfiAuthentication,
  type ListenerConfig,
  type ListenerRole,
  type ListenerTls,
  type PortalConfig,
  ROLES,
  type Role,
  type TenantConfig,
  type TracingConfig,
  type TrustFrameworkConfig,
} from './config/shape.ts'
import { OperatorError } from './errors.ts'
import { Secret } from './secret.ts'

export type * from './config/shape.ts'
export { CLIENT_CERTIFICATES, PORTAL_ROLES, ROLES } from './config/shape.ts'
/** The description of a tenant's file, for whoever shows it. */
export { tenantSchema }

/** Names each fault with its file and path; never quotes a value, which could be a secret put in the wrong place. */
export class ConfigError extends OperatorError {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`configuration refused:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
    this.faults = faults
  }
}

const ajv = new Ajv2020({
  allErrors: true,
  useDefaults: true,
  strict: true,
  allowUnionTypes: true,
  discriminator: true,
})
formats.default(ajv, ['uuid'])
const checkDeployment = ajv.compile<RawDeployment>(deploymentSchema)
const checkTenant = ajv.compile<RawTenant>(tenantSchema)

export function loadConfig(
  file: string,
  options: {
    readonly roles?: readonly Role[]
    readonly env?: NodeJS.ProcessEnv
    /** Who enters the databases: the hub, or their owner. Only the secrets of that one are looked for. */
    readonly databaseAs?: DatabaseUser
  } = {},
): Config {
  const env = options.env ?? process.env
  const databaseAs = options.databaseAs ?? 'hub'
  const raw = accepted(file, checkDeployment)
  const files = createFiles(file, env)
  const tenants = raw.tenants.map((name) => loadTenant(files.path(name), env, databaseAs))
  const config: Config = {
    environment: raw.environment,
    roles: options.roles ?? raw.roles ?? ROLES,
    logLevel: raw.log.level,
    database: raw.database,
    trustFramework: trustFrameworkOf(raw.trustFramework, files),
    outbound: raw.outbound,
    drainSeconds: raw.drainSeconds,
    ...(raw.health === undefined ? {} : { health: raw.health }),
    ...(raw.noticeSeconds === undefined ? {} : { noticeSeconds: raw.noticeSeconds }),
    ...(raw.tracing === undefined ? {} : { tracing: tracingOf(raw.tracing, files) }),
    otherLfis: raw.otherLfis ?? [],
    ...(raw.publishedSchemas === undefined ? {} : { publishedSchemas: files.path(raw.publishedSchemas.directory) }),
    tenants: tenants.map(({ tenant }) => tenant),
  }
  const faults = [...files.faults, ...tenants.flatMap((each) => each.faults), ...judge(config)]
  if (faults.length > 0) throw new ConfigError(faults)
  return deepFreeze(config)
}

function tracingOf(raw: NonNullable<RawDeployment['tracing']>, files: Files): TracingConfig {
  const { caFile, authorization, ...kept } = raw
  return {
    ...kept,
    ca: caFile === undefined ? null : files.authorities(caFile),
    authorization: authorization === undefined ? null : files.secret(authorization),
  }
}

function trustFrameworkOf(raw: RawDeployment['trustFramework'], files: Files): TrustFrameworkConfig {
  const { caFile, serverCaFile, certificateFile, keyFile, ...kept } = raw
  return {
    ...kept,
    ca: files.authorities(caFile),
    serverCa: serverCaFile === undefined ? null : files.authorities(serverCaFile),
    ...files.pair(certificateFile, keyFile),
  }
}

type DatabaseUser = 'hub' | 'owner'
type LoadedTenant = { readonly tenant: TenantConfig; readonly faults: readonly string[] }

function loadTenant(file: string, env: NodeJS.ProcessEnv, databaseAs: DatabaseUser): LoadedTenant {
  const { database, listeners, keys, lfi, webhooks, audit, portal, ...kept } = accepted(file, checkTenant)
  const files = createFiles(file, env)
  const { caFile, certificateFile, keyFile, authentication, callerJwt, ...keptOfLfi } = lfi
  const { caFile: receiversCaFile, ...keptOfWebhooks } = webhooks
  const rsaKey = (raw: { readonly kid: string; readonly keyFile: string }): KeyConfig => ({
    kid: raw.kid,
    key: files.rsaKey(raw.keyFile),
  })
  const tenant: TenantConfig = {
    ...withoutSchema(kept),
    paymentPurposeCodes: kept.paymentPurposeCodes ?? PURPOSE_CODES,
    databaseUrl: files.secret((databaseAs === 'owner' ? database.migration : undefined)?.url ?? database.url),
    ...(database.migration === undefined ? {} : { databaseRole: database.migration.grantTo }),
    listeners: listenersOf(listeners, files),
    keys: {
      signing: keys.signing.map(rsaKey),
      encryption: keys.encryption.map(rsaKey),
      store: keyStoreOf(keys, files),
      audit: files.ed25519Key(keys.audit.keyFile),
    },
    audit: {
      origin: audit.origin ?? `falaj/${kept.id}`,
      clockSource: audit.clockSource,
      restAfterMs: audit.restAfterMs,
      previousKeys: keys.audit.previousKeyFiles.map((name) => files.formerEd25519Key(name)),
      witnesses: audit.witnesses.map(({ publicKey, url, caFile }) => ({
        publicKey,
        url,
        ca: caFile === undefined ? null : files.authorities(caFile),
      })),
    },
    ...(portal === undefined ? {} : { portal: portalOf(portal, files) }),
    webhooks: {
      ...keptOfWebhooks,
      ca: receiversCaFile === undefined ? null : files.authorities(receiversCaFile),
    },
    lfi: {
      ...keptOfLfi,
      ca: files.authorities(caFile),
      ...files.pair(certificateFile, keyFile),
      authentication: authenticationOf(authentication, files),
      callerJwt: { required: callerJwt.required, audience: callerJwt.audience ?? kept.id },
    },
  }
  return { tenant, faults: [...files.faults, ...keyFaults(keys).map((fault) => `${file}: ${fault}`)] }
}

/** What belongs to the one source of keys, and what to the other. */
function keyFaults({ source, signing, encryptionKey, previousEncryptionKey }: RawTenant['keys']): readonly string[] {
  if (source === 'stored') return encryptionKey === undefined ? ['keys.source stored needs keys.encryptionKey'] : []
  return [
    ...(signing.length === 0 ? ['keys.source files needs a key in keys.signing'] : []),
    ...(encryptionKey !== undefined || previousEncryptionKey !== undefined
      ? ['keys.encryptionKey encrypts nothing while keys.source is files']
      : []),
  ]
}

function keyStoreOf(keys: RawTenant['keys'], files: Files): TenantConfig['keys']['store'] {
  if (keys.source === 'files' || keys.encryptionKey === undefined) return null
  const previous = keys.previousEncryptionKey
  return {
    encryptionKeys: [
      files.encryptionKey('keys.encryptionKey', keys.encryptionKey),
      ...(previous === undefined ? [] : [files.encryptionKey('keys.previousEncryptionKey', previous)]),
    ],
    publishAheadSeconds: keys.publishAheadSeconds,
  }
}

/** The editor's pointer to the schema is no part of what the hub works with. */
function withoutSchema<T extends object>(raw: T): T {
  const { $schema: _, ...kept } = raw as T & { readonly $schema?: string }
  return kept as T
}

function listenersOf(raw: RawTenant['listeners'], files: Files): TenantConfig['listeners'] {
  const entries = Object.entries(raw).map(([role, { origin, address, port, tls, certificateFile, keyFile }]) => [
    role,
    { origin, address, port, tls: tlsOf(tls, files), ...files.pair(certificateFile, keyFile) } satisfies ListenerConfig,
  ])
  return Object.fromEntries(entries) as Record<ListenerRole, ListenerConfig>
}

function portalOf({ kid, keyFile, caFile, ...kept }: RawPortal, files: Files): PortalConfig {
  return {
    ...kept,
    key: { kid, key: files.rsaKey(keyFile) },
    ca: caFile === undefined ? null : files.authorities(caFile),
  }
}

function tlsOf(raw: RawTls, files: Files): ListenerTls {
  if (raw.mode === 'in-process') return raw
  const { caFile, ...kept } = raw
  return { ...kept, ca: files.authorities(caFile) }
}

function authenticationOf(raw: RawAuthentication, files: Files): LfiAuthentication {
  if (raw.type === 'none') return { type: 'none' }
  if (raw.type === 'api-key') return { type: 'api-key', key: files.secret(raw.key) }
  if (raw.type === 'client-credentials') return { ...raw, clientSecret: files.secret(raw.clientSecret) }
  const { audience, kid, keyFile, lifetimeSeconds } = raw
  return { type: 'jwt', audience, kid, key: files.rsaKey(keyFile), lifetimeSeconds: lifetimeSeconds as Seconds }
}

function accepted<T>(file: string, check: ValidateFunction<T>): T {
  const raw = readJson(file)
  if (check(raw)) return raw
  const errors = withoutBranches(check.errors ?? [])
  throw new ConfigError([...new Set(errors.map((error) => `${file}: ${describe(error)}`))])
}

function readJson(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (thrown) {
    throw new ConfigError([`${file}: ${whyUnreadable(thrown)}`])
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    // The parser quotes the text around the fault, in which a secret may be.
    throw new ConfigError([`${file}: not JSON (${(cause as Error).message.replace(/"[\s\S]*"/, '…')})`])
  }
}

/** Where none of several forms fits, that is said once, and not what each of them would have wanted. */
function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choices = errors.filter((error) => error.keyword === 'oneOf')
  return errors.filter(
    (error) => !choices.some((choice) => choice !== error && error.instancePath.startsWith(choice.instancePath)),
  )
}

function describe(error: ErrorObject): string {
  const at = error.instancePath.slice(1).replaceAll('/', '.')
  const member = (name: unknown) => (at === '' ? String(name) : `${at}.${String(name)}`)
  switch (error.keyword) {
    case 'additionalProperties':
      return `unknown key ${member(error.params['additionalProperty'])}`
    case 'required':
      return `missing key ${member(error.params['missingProperty'])}`
    case 'enum':
      return `${at} must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}`
    case 'discriminator':
      return `${member(error.params['tag'])} names none of the forms that are described`
    case 'oneOf':
      return `${at} must be { "file": path } or { "env": NAME }, not the value itself`
    default:
      return `${at === '' ? 'it' : at} ${error.message ?? 'is not acceptable'}`
  }
}

function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || value instanceof Secret || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
