/** What the directory was told at enrolment. Later acts of its operator are in state.ts, not here. */
import { readFileSync } from 'node:fs'
import type { CertificateKind } from './certificate-kinds.ts'
import { writeJson } from './files.ts'

/** Members as tpp-api 9.4 spells them. */
export type OrganisationRecord = {
  readonly OrganisationId: string
  readonly Status: OrganisationStatus
  readonly OrganisationName: string
  readonly LegalEntityName: string
  readonly RegisteredName: string
  readonly CreatedOn: string
  readonly CountryOfRegistration: 'AE'
  readonly CompanyRegister: string
  readonly RegistrationNumber: string
  readonly RegistrationId: string
  readonly TaxRegistrationNumber: string
  readonly AddressLine1: string
  readonly AddressLine2: string
  readonly City: string
  readonly Postcode: string
  readonly Country: 'AE'
  readonly Size: string
  readonly Tags: readonly string[]
  readonly Flags: Readonly<Record<string, boolean>>
  readonly ParentOrganisationReference: string
}
export type OrganisationStatus = 'Active' | 'Inactive'

export type SoftwareStatementRecord = {
  readonly SoftwareStatementId: string
  readonly OrganisationId: string
  readonly ClientId: string
  readonly ClientName: string
  readonly Description: string
  readonly Status: SoftwareStatus
  readonly Mode: 'Live' | 'Test'
  readonly Environment: string
  readonly OnBehalfOf: string
  readonly RedirectUri: readonly string[]
  readonly PostLogoutRedirectUris: readonly string[]
  readonly ApiWebhookUri: readonly string[]
  readonly LogoUri: string
  readonly ClientUri: string
  readonly PolicyUri: string
  readonly TermsOfServiceUri: string
  readonly HomepageUri: string
  readonly OriginUri: readonly string[]
  readonly SoftwareVersion: string
  readonly Locked: boolean
  readonly OpenidFederationEnabled: boolean
  readonly RequireSignedRequestObject: boolean
  readonly IdTokenSignedResponseAlgorithm: 'PS256'
  readonly TokenEndpointAuthMethod: 'private_key_jwt' | 'tls_client_auth'
  readonly TlsClientCertificateBoundAccessTokens: boolean
  readonly Flags: readonly string[]
  readonly SoftwareStatementCertifications: readonly never[]
}
export type SoftwareStatus = 'Active' | 'Suspended' | 'Inactive'

export type SoftwareRoleRecord = {
  readonly SoftwareStatementId: string
  readonly OrganisationId: string
  readonly Status: 'Active'
  readonly AuthorityName: string
  readonly AuthorisationDomainName: string
  readonly AuthorisationDomainRoleName: string
}

export type RegisteredCertificate = {
  readonly kid: string
  readonly kind: CertificateKind
  readonly organisationId: string
  readonly organisationName: string
  readonly softwareStatementId: string
  readonly clientId: string
  readonly clientName: string
  readonly pem: string
}

/** One LFI's hub, as participants find it. */
export type RegisteredService = {
  readonly organisationId: string
  readonly friendlyName: string
  readonly issuer: string
  readonly resourceServer: string
}

export type Register = {
  /** Base of the keystore's URLs. */
  readonly keystore: string
  /** The application that may revoke and suspend. */
  readonly operatorClientId: string
  readonly organisations: readonly OrganisationRecord[]
  readonly organisationRoles: readonly { readonly organisationId: string; readonly role: string }[]
  readonly softwareStatements: readonly SoftwareStatementRecord[]
  readonly softwareRoles: readonly SoftwareRoleRecord[]
  readonly certificates: readonly RegisteredCertificate[]
  readonly services: readonly RegisteredService[]
}

export const saveRegister = (file: string, register: Register): void => writeJson(file, register)

export const loadRegister = (file: string): Register => JSON.parse(readFileSync(file, 'utf8'))
