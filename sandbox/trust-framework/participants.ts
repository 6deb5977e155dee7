/** `GET /participants`: LFIs, their authorization servers and operations (tpp-api 9.4). */
import type { Directory } from './directory.ts'
import { stableUuid } from './ecosystem.ts'
import type { OrganisationRecord, RegisteredService } from './register.ts'
import { AUTHORITY, DOMAIN } from './register-records.ts'

type Family = {
  readonly type: string
  readonly base: string
  readonly operations: readonly string[]
  readonly metadata: object
}

/** tpp-api 5. */
const FAMILIES: readonly Family[] = [
  {
    type: 'account-information',
    base: '/open-finance/account-information/v2.1',
    metadata: { AccountSubType: ['CurrentAccount', 'Savings', 'CreditCard', 'Finance'] },
    operations: [
      '/account-access-consents',
      '/account-access-consents/{ConsentId}',
      '/accounts',
      '/accounts/{AccountId}',
      '/accounts/{AccountId}/balances',
      '/accounts/{AccountId}/beneficiaries',
      '/accounts/{AccountId}/direct-debits',
      '/accounts/{AccountId}/parties',
      '/accounts/{AccountId}/product',
      '/accounts/{AccountId}/scheduled-payments',
      '/accounts/{AccountId}/standing-orders',
      '/accounts/{AccountId}/statements',
      '/accounts/{AccountId}/transactions',
      '/parties',
    ],
  },
  {
    type: 'confirmation',
    base: '/open-finance/confirmation-of-payee/v2.1',
    metadata: {},
    operations: ['/confirmation', '/discovery'],
  },
  { type: 'atm', base: '/open-finance/atm/v2.1', metadata: {}, operations: ['/atms'] },
  { type: 'product', base: '/open-finance/product/v2.1', metadata: {}, operations: ['/leads', '/products'] },
  {
    type: 'fx',
    base: '/open-finance/fx/v2.1',
    metadata: {},
    operations: ['/fx-quotes', '/fx-quotes/{FxQuoteId}', '/fx-quotes/{FxQuoteId}/subscription'],
  },
  {
    type: 'account-opening',
    base: '/open-finance/account-opening/v2.1',
    metadata: {},
    operations: ['/accounts', '/accounts/{AccountId}/status', '/accounts/{AccountId}/subscription'],
  },
]

export const API_FAMILIES = FAMILIES.map(({ type }) => ({
  ApiFamilyType: type,
  ApiVersions: ['2.1'],
  CertificationRequired: false,
}))

export function participants(directory: Directory): readonly object[] {
  return directory
    .organisations()
    .filter((each) => each.Size === 'LFI')
    .map((organisation) => ({
      ...organisation,
      AuthorisationServers: directory.services
        .filter((each) => each.organisationId === organisation.OrganisationId)
        .map((service) => authorisationServer(service, organisation, directory.keystore)),
      OrgDomainClaims: [],
      OrgDomainRoleClaims: directory
        .rolesOfOrganisation(organisation.OrganisationId)
        .map((role) => roleClaim(organisation, role)),
    }))
}

function authorisationServer(service: RegisteredService, organisation: OrganisationRecord, keystore: string): object {
  return {
    AuthorisationServerId: stableUuid(`authorisation-server:${service.organisationId}`),
    OrganisationId: service.organisationId,
    CustomerFriendlyName: service.friendlyName,
    CustomerFriendlyDescription: `Accounts at ${service.friendlyName}`,
    CustomerFriendlyLogoUri: `${keystore}/${service.organisationId}/logo.svg`,
    Issuer: service.issuer,
    OpenIDDiscoveryDocument: `${service.issuer}/.well-known/openid-configuration`,
    PayloadSigningCertLocationUri: `${keystore}/${service.organisationId}/application.jwks`,
    Status: organisation.Status,
    CreatedAt: organisation.CreatedOn,
    SupportsCiba: false,
    SupportsDCR: false,
    SupportsRedirect: false,
    Flags: { AccountType: ['Retail', 'SME'] },
    ApiResources: FAMILIES.map((family) => resource(service, family)),
    AuthorisationServerCertifications: [],
  }
}

function resource({ organisationId, resourceServer }: RegisteredService, family: Family): object {
  const { type, base, operations, metadata } = family
  // Ids of the first family were given out before there were others.
  const key = type === 'account-information' ? '' : `${type}:`
  return {
    ApiResourceId: stableUuid(`api-resource:${organisationId}:${type}`),
    ApiVersion: '2.1',
    ApiFamilyType: type,
    Status: 'Active',
    CertificationStatus: 'Self-Certified',
    FamilyComplete: true,
    ApiMetadata: metadata,
    ApiDiscoveryEndpoints: operations.map((path) => ({
      ApiDiscoveryId: stableUuid(`api-discovery:${organisationId}:${key}${path}`),
      ApiEndpoint: `${resourceServer}${base}${path}`,
    })),
  }
}

function roleClaim(organisation: OrganisationRecord, role: string): object {
  return {
    OrganisationId: organisation.OrganisationId,
    Role: role,
    Status: organisation.Status,
    AuthorisationDomain: DOMAIN,
    AuthorisationDomainRoleIdentifier: role,
    AuthorityName: AUTHORITY,
    RegistrationId: organisation.RegistrationId,
    RoleType: 'Federation',
    Exclusive: false,
    Metadata: [],
  }
}
