/** `GET /participants`: LFIs, their authorization servers and operations (tpp-api 9.4). */
import type { Directory } from './directory.ts'
import { stableUuid } from './ecosystem.ts'
import type { OrganisationRecord, RegisteredService } from './register.ts'
import { AUTHORITY, DOMAIN } from './register-records.ts'

const BASE = '/open-finance/account-information/v2.1'
/** tpp-api 5.2. */
const OPERATIONS = [
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
] as const

export const API_FAMILIES = [
  { ApiFamilyType: 'account-information', ApiVersions: ['2.1'], CertificationRequired: false },
] as const

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
    ApiResources: [accountInformation(service)],
    AuthorisationServerCertifications: [],
  }
}

function accountInformation({ organisationId, resourceServer }: RegisteredService): object {
  return {
    ApiResourceId: stableUuid(`api-resource:${organisationId}:account-information`),
    ApiVersion: '2.1',
    ApiFamilyType: 'account-information',
    Status: 'Active',
    CertificationStatus: 'Self-Certified',
    FamilyComplete: true,
    ApiMetadata: { AccountSubType: ['CurrentAccount', 'Savings', 'CreditCard', 'Finance'] },
    ApiDiscoveryEndpoints: OPERATIONS.map((path) => ({
      ApiDiscoveryId: stableUuid(`api-discovery:${organisationId}:${path}`),
      ApiEndpoint: `${resourceServer}${BASE}${path}`,
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
