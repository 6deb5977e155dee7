/** The register's records for the sandbox's organisations and applications. Addresses and numbers are invented. */
import {
  APPLICATIONS,
  type Application,
  LFI_CODES,
  LFIS,
  type LfiCode,
  OPERATOR_APPLICATION,
  ORGANISATIONS,
  type Organisation,
  softwareStatementId,
  stableUuid,
} from './ecosystem.ts'
import type {
  OrganisationRecord,
  Register,
  RegisteredCertificate,
  SoftwareRoleRecord,
  SoftwareStatementRecord,
} from './register.ts'

export type Origins = {
  /** The browser-facing origin. */
  readonly edge: string
  /** The directory's public listener. */
  readonly keystore: string
  readonly hubs: Readonly<Record<LfiCode, { readonly auth: string; readonly rs: string }>>
}

export type Uris = { readonly redirectUris: readonly string[]; readonly webhookUris: readonly string[] }

export const AUTHORITY = 'Sandbox Central Bank'
export const DOMAIN = 'Open Finance'
const CREATED_ON = '2025-01-06T08:00:00.000Z'
const NO_URIS: Uris = { redirectUris: [], webhookUris: [] }

export function buildRegister(
  origins: Origins,
  urisOf: (application: Application) => Uris | undefined,
  certificates: readonly RegisteredCertificate[],
): Register {
  return {
    keystore: origins.keystore,
    operatorClientId: OPERATOR_APPLICATION.clientId,
    organisations: ORGANISATIONS.map(organisationRecord),
    organisationRoles: ORGANISATIONS.flatMap(({ id, roles }) => roles.map((role) => ({ organisationId: id, role }))),
    softwareStatements: APPLICATIONS.map((each) => softwareStatement(each, urisOf(each) ?? NO_URIS, origins)),
    softwareRoles: APPLICATIONS.flatMap(rolesOf),
    certificates,
    services: LFI_CODES.map((code) => ({
      organisationId: LFIS[code].id,
      friendlyName: LFIS[code].friendlyName,
      issuer: origins.hubs[code].auth,
      resourceServer: origins.hubs[code].rs,
    })),
  }
}

function organisationRecord(organisation: Organisation): OrganisationRecord {
  const number = Number.parseInt(stableUuid(`registration:${organisation.id}`).slice(0, 7), 16)
  const digits = String(number).padStart(9, '0')
  return {
    OrganisationId: organisation.id,
    Status: 'Active',
    OrganisationName: organisation.friendlyName,
    LegalEntityName: organisation.legalName,
    RegisteredName: organisation.legalName,
    CreatedOn: CREATED_ON,
    CountryOfRegistration: 'AE',
    CompanyRegister: 'Sandbox Register of Companies',
    RegistrationNumber: `CN-${digits}`,
    RegistrationId: `CN-${digits}`,
    TaxRegistrationNumber: `100${digits}003`,
    AddressLine1: '1 Example Street',
    AddressLine2: 'Example District',
    City: organisation.city,
    Postcode: '00000',
    Country: 'AE',
    Size: organisation.size,
    Tags: [],
    Flags: organisation.flags,
    ParentOrganisationReference: '',
  }
}

function softwareStatement(application: Application, uris: Uris, origins: Origins): SoftwareStatementRecord {
  const home = uris.redirectUris.length > 0 ? origins.edge : origins.keystore
  return {
    SoftwareStatementId: softwareStatementId(application),
    OrganisationId: application.organisation.id,
    ClientId: application.clientId,
    ClientName: application.name,
    Description: `${application.name}, of ${application.organisation.legalName}`,
    Status: 'Active',
    Mode: 'Test',
    Environment: 'Sandbox',
    OnBehalfOf: '',
    RedirectUri: uris.redirectUris,
    PostLogoutRedirectUris: [],
    ApiWebhookUri: uris.webhookUris,
    LogoUri: `${home}/logo.svg`,
    ClientUri: `${home}/`,
    PolicyUri: `${home}/policy`,
    TermsOfServiceUri: `${home}/terms`,
    HomepageUri: `${home}/`,
    OriginUri: [home],
    SoftwareVersion: '1.0',
    Locked: false,
    OpenidFederationEnabled: false,
    RequireSignedRequestObject: true,
    IdTokenSignedResponseAlgorithm: 'PS256',
    TokenEndpointAuthMethod: 'private_key_jwt',
    TlsClientCertificateBoundAccessTokens: true,
    Flags: [],
    SoftwareStatementCertifications: [],
  }
}

const rolesOf = (application: Application): SoftwareRoleRecord[] =>
  application.roles.map((role) => ({
    SoftwareStatementId: softwareStatementId(application),
    OrganisationId: application.organisation.id,
    Status: 'Active',
    AuthorityName: AUTHORITY,
    AuthorisationDomainName: DOMAIN,
    AuthorisationDomainRoleName: role,
  }))
