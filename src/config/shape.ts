/** What a configuration is once it has been read: files are text, secrets are wrapped, defaults are there. */
import type { Milliseconds, Seconds } from '../clock.ts'
import type { OrganisationId, TenantId } from '../ids.ts'
import type { LfiClass, LfiOperation } from '../lfi-operations.ts'
import type { LogLevel } from '../log.ts'
import type { Secret } from '../secret.ts'

export type Role = 'auth' | 'as' | 'rs' | 'hh' | 'cm' | 'admin' | 'portal' | 'worker'
export const ROLES: readonly Role[] = ['auth', 'as', 'rs', 'hh', 'cm', 'admin', 'portal', 'worker']
export type ListenerRole = Exclude<Role, 'worker'>
/** Every tenant has these doors; the portal is served where it is configured. */
export type FixedRole = Exclude<ListenerRole, 'portal'>

/**
 * What the handshake does about a client certificate. TPPs get an answer with a reason when theirs is missing or
 * wrong; the LFI's doors refuse the handshake.
 */
export const CLIENT_CERTIFICATES = {
  auth: 'none',
  as: 'requested',
  rs: 'requested',
  hh: 'required',
  cm: 'required',
  admin: 'required',
  // A person's browser shows none; who it is, the trust framework says (OpenID Connect).
  portal: 'none',
} as const satisfies Record<ListenerRole, 'none' | 'requested' | 'required'>

/** Where TLS with the caller ends. */
export type ListenerTls =
  | { readonly mode: 'in-process' }
  | {
      readonly mode: 'behind-proxy'
      /** Authorities of the proxies' own client certificates: that hop is mutual TLS. */
      readonly ca: string
      /** Networks (CIDR) that proxies call from, and `sha256:` thumbprints of their certificates. */
      readonly peers: readonly string[]
      /** Which header the proxies write the caller's address to. */
      readonly addressHeader: 'x-forwarded-for' | 'forwarded' | 'none'
    }

export type ListenerConfig = {
  readonly origin: string
  readonly address: string
  readonly port: number
  readonly certificate: string
  readonly key: Secret<string>
  /** Absent: in this process. */
  readonly tls?: ListenerTls
}
export type KeyConfig = { readonly kid: string; readonly key: Secret<string> }

/** Keys that are kept in the database, and changed by command. */
export type KeyStoreConfig = {
  /** AES-256. The first wraps, all unwrap. */
  readonly encryptionKeys: readonly [Secret<Buffer>, ...Secret<Buffer>[]]
  /** How long a key is published before it signs. */
  readonly publishAheadSeconds: Seconds
}

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
  | {
      readonly type: 'client-credentials'
      readonly tokenUrl: string
      readonly clientId: string
      readonly clientSecret: Secret<string>
      readonly scope?: string
    }

/** What one class of operations may take of the hub. */
export type LfiBudget = { readonly timeoutMs?: Milliseconds; readonly connections?: number }

export type ConsentTypeName = 'account-access' | 'service-initiation' | 'insurance'
/** What the LFI is asked and told about consents (lfi-api 5), by type of consent. */
export type ConsentActionsConfig = {
  readonly validate: readonly ConsentTypeName[]
  /** What happens to a pushed request when the LFI cannot be asked. */
  readonly validateFailure: 'refuse' | 'accept'
  readonly augment: readonly ConsentTypeName[]
  readonly events: readonly ConsentTypeName[]
  readonly validateTimeoutMs: Milliseconds
  readonly augmentTimeoutMs: Milliseconds
  readonly eventTimeoutMs: Milliseconds
}

/** How webhooks are delivered to TPPs (tpp-api 8.1). */
export type WebhooksConfig = {
  /** Authorities of the receivers' servers; null: the system's. */
  readonly ca: string | null
  /** One attempt, from the connection to the last byte. */
  readonly timeoutMs: Milliseconds
  /** On their way to one client at a time, in one process. */
  readonly perReceiver: number
  readonly attemptsMax: number
  readonly giveUpSeconds: Seconds
  readonly firstDelayMs: Milliseconds
  readonly delayMaxMs: Milliseconds
  /** How long what was settled is kept. */
  readonly keepDays: number
}

export type ProfileName = 'uae' | 'fapi2'
export type SignatureAlgorithm = 'PS256' | 'ES256' | 'EdDSA'
/** A client of plain FAPI 2.0, as the operator describes it. */
export type Fapi2Client = {
  readonly profile: 'fapi2'
  readonly authentication: 'private_key_jwt' | 'tls_client_auth'
  readonly senderConstraint: 'mtls' | 'dpop'
  readonly signingAlgorithms: readonly SignatureAlgorithm[]
  readonly requestObject: 'signed' | 'unsigned-allowed'
  readonly jarm: boolean
  readonly transportCertificate?: 'required' | 'optional'
}
export type ProfilesConfig = {
  readonly serves: readonly ProfileName[]
  /** By client id. */
  readonly clients?: Readonly<Record<string, Fapi2Client>>
}

export type WitnessConfig = {
  /** Its verifier key (C2SP vkey, cosignature/v1). */
  readonly publicKey: string
  /** Submission prefix of tlog-witness. */
  readonly url: string
  /** null: the authorities that Node.js knows. */
  readonly ca: string | null
}
export type AuditConfig = {
  readonly origin: string
  readonly clockSource: string
  /** Absent: three quarters of a second. */
  readonly restAfterMs?: Milliseconds
  /** PEM, private or public, oldest first: keys that signed this log before. */
  readonly previousKeys: readonly Secret<string>[]
  readonly witnesses: readonly WitnessConfig[]
}

/** What people of the LFI may do in the portal; a regulator only reads. */
export const PORTAL_ROLES = ['operator', 'business', 'security', 'regulator'] as const
export type PortalRole = (typeof PORTAL_ROLES)[number]

/** How people log in to the portal: this hub is a client of the trust framework's OpenID provider. */
export type PortalConfig = {
  readonly issuer: string
  readonly clientId: string
  /** Signs the client's assertions (private_key_jwt, PS256). */
  readonly key: KeyConfig
  /** Authorities of the provider's servers; null: the system's. */
  readonly ca: string | null
  readonly scope: string
  /** Names of the claims that say what somebody may do, and whom they belong to. */
  readonly rolesClaim: string
  readonly organisationClaim: string
  /** Which values of the claim give which role. */
  readonly roles: Readonly<Record<PortalRole, readonly string[]>>
  /** Supervisors are not the LFI's own people: of these organisations, and regulators at most. */
  readonly regulatorOrganisations: readonly OrganisationId[]
  /** From the login on, whatever happens. */
  readonly sessionMinutes: number
  /** Without a request. */
  readonly idleMinutes: number
  /** How long a dangerous act waits for the second person. */
  readonly approvalMinutes: number
}

/** One LFI, as configured. Files are already read: PEM text, not paths. */
export type TenantConfig = {
  readonly id: TenantId
  readonly name: string
  readonly organisationId: OrganisationId
  readonly databaseUrl: Secret<string>
  /** The role that a running hub has there; absent: it is the owner of the tables. */
  readonly databaseRole?: string
  readonly listeners: Readonly<Record<FixedRole, ListenerConfig>> & { readonly portal?: ListenerConfig }
  readonly authorizationEndpoint: string
  readonly jwksUrl: string
  /** Its digits in account numbers. */
  readonly bankCodes?: readonly string[]
  readonly keys: {
    readonly signing: readonly KeyConfig[]
    readonly encryption: readonly KeyConfig[]
    /** null: the two above are all there is, and the first of each is in use. */
    readonly store: KeyStoreConfig | null
    readonly audit: Secret<string>
  }
  readonly lfi: {
    readonly ozoneConnectUrl: string
    readonly ca: string
    readonly certificate: string
    readonly key: Secret<string>
    readonly authentication: LfiAuthentication
    /** Which calls show the token that the LFI gave with the consent; absent: those that make payments. */
    readonly connectToken?: 'unused' | 'payments' | 'consent'
    readonly callerJwt: { readonly required: boolean; readonly audience: string }
    /** Absent: they are. */
    readonly announceFileConsents?: boolean
    /** Absent: none. */
    readonly consentActions?: ConsentActionsConfig
    /** To each class of operations, where `budgets` does not say another number. */
    readonly connections: number
    /** Of a whole call, where nothing below says another. */
    readonly timeoutMs: Milliseconds
    readonly budgets?: Readonly<Partial<Record<LfiClass, LfiBudget>>>
    readonly operationTimeoutsMs?: Readonly<Partial<Record<LfiOperation, Milliseconds>>>
    readonly connectTimeoutMs: Milliseconds
    readonly responseBytesMax: number
    readonly pageSize: number
    /** Where it may stand besides public addresses, once its address is set while hubs run; absent: nowhere. */
    readonly allowedAddresses?: readonly string[]
  }
  /** Absent: none are delivered. */
  readonly webhooks?: WebhooksConfig
  /** Absent: every client follows `uae`. */
  readonly profiles?: ProfilesConfig
  /** Absent: an origin made of the tenant id, no earlier key, no witness. */
  readonly audit?: AuditConfig
  /** Absent: people use the command line. */
  readonly portal?: PortalConfig
  readonly activation: 'manual' | 'automatic'
  readonly fieldFilter: 'basic-detail' | 'off'
  /** What a payment may be for. */
  readonly paymentPurposeCodes: readonly string[]
  readonly lifetimes: {
    readonly accessTokenSeconds: Seconds
    readonly requestUriSeconds: Seconds
    readonly interactionSeconds: Seconds
    readonly authorizationWindowSeconds: Seconds
  }
  /** Absent: as the regulation has it. */
  readonly retention?: {
    readonly years: number
    /** Of payments, quotes and openings. */
    readonly resourceDays: number
    /** Of consents, before they may be archived. */
    readonly archiveYears?: number
  }
  readonly limits: {
    readonly requestsPerSecond: number
    readonly bodyBytesMax: number
    readonly fileBytesMax: number
    /** At work at the same time, in this process: at one listener, and at all of the tenant's but admin. */
    readonly requestsInFlightPerListener: number
    readonly requestsInFlight: number
    /** Open at the same time, at one listener of this process. */
    readonly connections: number
  }
}

export type RevocationMode = 'required' | 'when-available' | 'off'
export type RevocationConfig = {
  readonly crl: RevocationMode
  readonly crlUrls: readonly string[]
  readonly refreshSeconds: Seconds
  /** How long a list counts while its source is out of reach; never beyond its own nextUpdate. */
  readonly believedSeconds: Seconds
  readonly bytesMax: number
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
  /** Absent: certificates are as good as the directory says. */
  readonly revocation?: RevocationConfig
}

/** One that is no tenant of this deployment. */
export type OtherLfi = {
  readonly bankCodes: readonly string[]
  readonly issuer: string
  readonly resourceServer: string
}
/** Connections to places that others have named (fetch-guard.ts). */
export type OutboundConfig = { readonly allowedAddresses: readonly string[] }

/** Where traces are brought to. */
export type TracingConfig = {
  readonly endpoint: string
  /** null: the authorities that Node.js knows. */
  readonly ca: string | null
  /** Of the Authorization header; null: none is sent. */
  readonly authorization: Secret<string> | null
  /** Share of the traces that begin here. */
  readonly ratio: number
  readonly queueMax: number
  readonly timeoutMs: Milliseconds
}

/** Where an orchestrator asks how the process is. */
export type HealthConfig = { readonly address: string; readonly port: number }

export type Config = {
  readonly environment: 'sandbox' | 'preproduction' | 'production'
  readonly roles: readonly Role[]
  readonly logLevel: LogLevel
  readonly database: {
    readonly poolMax: number
    readonly migrate: 'on-start' | 'refuse'
    /** Absent: as the schema has them. */
    readonly acquireMs?: Milliseconds
    readonly statementMs?: Milliseconds
  }
  readonly trustFramework: TrustFrameworkConfig
  readonly outbound: OutboundConfig
  readonly drainSeconds: Seconds
  /** How long it is said that this process will stop before it accepts nothing new; absent: not at all. */
  readonly noticeSeconds?: Seconds
  /** Absent: none are. */
  readonly tracing?: TracingConfig
  /** Absent: it is asked at the admin door only. */
  readonly health?: HealthConfig
  readonly otherLfis?: readonly OtherLfi[]
  /** Folder with published documents that replace those of the release. */
  readonly publishedSchemas?: string
  readonly tenants: readonly TenantConfig[]
}
