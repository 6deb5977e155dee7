/** The one file that tells any other client everything about a running sandbox. Its shape is documented in README.md. */
import type { Staff } from './bank/staff.ts'
import type { BankUser } from './bank/users.ts'
import type { LfiCode } from './trust-framework/ecosystem.ts'
import type { PersonRecord } from './trust-framework/people.ts'

export type ManifestKeys = { readonly certificateFile: string; readonly keyFile: string }
export type ManifestSigning = ManifestKeys & { readonly kid: string }

export type ManifestLfi = {
  readonly name: string
  readonly organisationId: string
  readonly issuer: string
  readonly discovery: string
  readonly rs: string
  readonly authorizationEndpoint: string
  /** The operator's door of this hub, and the certificate that opens it. */
  readonly admin: string
  readonly adminClient: ManifestKeys
  /** Pages for the bank's people, and who may log in there. */
  readonly portal: string
  readonly people: readonly Pick<PersonRecord, 'username' | 'password' | 'name' | 'roles'>[]
  readonly hubConfigFile: string
  /** For whoever plays the bank: the doors of the hub for it, and what opens them. */
  readonly bank: {
    readonly hh: string
    readonly cm: string
    /** `aud` of JWT Auth. */
    readonly audience: string
    readonly ozoneConnect: string
    readonly transport: ManifestKeys
    readonly signing: ManifestSigning
    readonly encryption: ManifestSigning
  }
  /** For `falaj audit verify --key`. */
  readonly auditPublicKey: string
  /** Who signs in at `/banks/<code>/staff`. */
  readonly staff: Staff
  readonly users: readonly Pick<BankUser, 'userId' | 'username' | 'password' | 'story' | 'accountIds'>[]
}

export type ManifestClient = {
  readonly name: string
  readonly clientId: string
  readonly softwareStatementId: string
  readonly redirectUris: readonly string[]
  readonly webhookUris: readonly string[]
  readonly scopes: readonly string[]
  readonly transport: ManifestKeys
  readonly signing: ManifestSigning
  readonly encryption: ManifestSigning
}

export type Manifest = {
  readonly version: 1
  /** Process that runs this sandbox. */
  readonly pid: number
  readonly startedAt: string
  /** Open this in a browser. */
  readonly edge: string
  readonly trustFramework: {
    readonly url: string
    readonly apiUrl: string
    readonly caFile: string
    readonly participants: string
    readonly operator: ManifestKeys
  }
  readonly lfis: Readonly<Record<LfiCode, ManifestLfi>>
  readonly tpp: {
    readonly url: string
    readonly organisationId: string
    /** The first is the application behind the page; the second has other keys and another certificate. */
    readonly clients: readonly ManifestClient[]
    /** Registered for the first application and left free: its address, and a certificate to listen there with. */
    readonly ownWebhooks: ManifestKeys & { readonly url: string }
  }
  /** A certificate with the first application's subject from an authority that nobody trusts. */
  readonly rogue: ManifestKeys
}
