/** The two files as written, once the schema has accepted them and filled in the defaults. */
import type { Milliseconds } from '../clock.ts'
import type { EncryptionKeyReference, SecretReference } from './files.ts'
import type {
  Config,
  FixedRole,
  KeyStoreConfig,
  ListenerTls,
  PortalConfig,
  TenantConfig,
  TracingConfig,
  TrustFrameworkConfig,
  WebhooksConfig,
} from './shape.ts'

type PairFiles = { readonly certificateFile: string; readonly keyFile: string }
type BehindProxy = Extract<ListenerTls, { readonly mode: 'behind-proxy' }>
export type RawTls = { readonly mode: 'in-process' } | (Omit<BehindProxy, 'ca'> & { readonly caFile: string })
export type RawListener = PairFiles & {
  readonly origin: string
  readonly address: string
  readonly port: number
  readonly tls: RawTls
}
type KeyFile = { readonly kid: string; readonly keyFile: string }

export type RawDeployment = Pick<
  Config,
  'environment' | 'database' | 'drainSeconds' | 'noticeSeconds' | 'health' | 'outbound' | 'otherLfis'
> & {
  readonly roles?: Config['roles']
  readonly log: { readonly level: Config['logLevel'] }
  readonly trustFramework: Omit<TrustFrameworkConfig, 'ca' | 'serverCa' | 'certificate' | 'key'> &
    PairFiles & { readonly caFile: string; readonly serverCaFile?: string }
  readonly publishedSchemas?: { readonly directory: string }
  readonly tracing?: Omit<TracingConfig, 'ca' | 'authorization'> & {
    readonly caFile?: string
    readonly authorization?: SecretReference
  }
  readonly tenants: readonly string[]
}

export type RawAuthentication =
  | { readonly type: 'none' }
  | (KeyFile & { readonly type: 'jwt'; readonly audience: string; readonly lifetimeSeconds: number })
  | { readonly type: 'api-key'; readonly key: SecretReference }
  | {
      readonly type: 'client-credentials'
      readonly tokenUrl: string
      readonly clientId: string
      readonly clientSecret: SecretReference
      readonly scope?: string
    }

export type RawPortal = Omit<PortalConfig, 'key' | 'ca'> & KeyFile & { readonly caFile?: string }

type Kept =
  | 'id'
  | 'name'
  | 'organisationId'
  | 'authorizationEndpoint'
  | 'jwksUrl'
  | 'bankCodes'
  | 'activation'
  | 'fieldFilter'
  | 'profiles'
  | 'retention'

export type RawTenant = Pick<TenantConfig, Kept | 'lifetimes' | 'limits'> & {
  readonly webhooks: Omit<WebhooksConfig, 'ca'> & { readonly caFile?: string }
  readonly paymentPurposeCodes?: TenantConfig['paymentPurposeCodes']
  readonly database: {
    readonly url: SecretReference
    readonly migration?: { readonly url: SecretReference; readonly grantTo: string }
  }
  readonly listeners: Readonly<Record<FixedRole, RawListener>> & { readonly portal?: RawListener }
  readonly portal?: RawPortal
  readonly keys: {
    readonly source: 'files' | 'stored'
    readonly signing: readonly KeyFile[]
    readonly encryption: readonly KeyFile[]
    readonly encryptionKey?: EncryptionKeyReference
    readonly previousEncryptionKey?: EncryptionKeyReference
    readonly publishAheadSeconds: KeyStoreConfig['publishAheadSeconds']
    readonly audit: { readonly keyFile: string; readonly previousKeyFiles: readonly string[] }
  }
  readonly audit: {
    readonly origin?: string
    readonly clockSource: string
    readonly restAfterMs: Milliseconds
    readonly witnesses: readonly { readonly publicKey: string; readonly url: string; readonly caFile?: string }[]
  }
  readonly lfi: Omit<TenantConfig['lfi'], 'ca' | 'certificate' | 'key' | 'authentication' | 'callerJwt'> &
    PairFiles & {
      readonly caFile: string
      readonly authentication: RawAuthentication
      readonly callerJwt: { readonly required: boolean; readonly audience?: string }
    }
}
