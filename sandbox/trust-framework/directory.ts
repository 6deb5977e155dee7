/** The directory as it stands now: the register, with the operator's acts laid over it. */
import { KINDS } from './certificate-kinds.ts'
import {
  type Certificate,
  type CertificateRecord,
  certificateRecord,
  type PublishedKey,
  readCertificate,
} from './certificate-records.ts'
import type {
  OrganisationRecord,
  OrganisationStatus,
  Register,
  RegisteredService,
  SoftwareRoleRecord,
  SoftwareStatementRecord,
  SoftwareStatus,
} from './register.ts'
import type { State } from './state.ts'

export type Clock = () => Date
export type KeySet = 'application' | 'transport'

/** `null` everywhere: the directory has no such thing. */
export type Directory = {
  readonly keystore: string
  readonly operatorClientId: string
  readonly services: readonly RegisteredService[]
  organisations(): OrganisationRecord[]
  organisation(id: string): OrganisationRecord | null
  rolesOfOrganisation(id: string): string[]
  softwareStatements(organisationId: string): SoftwareStatementRecord[] | null
  softwareStatement(organisationId: string, id: string): SoftwareStatementRecord | null
  certificates(organisationId: string, softwareStatementId: string): CertificateRecord[] | null
  roles(organisationId: string, softwareStatementId: string): SoftwareRoleRecord[] | null
  /** Keys usable now, of one application or of the whole organisation. */
  keys(set: KeySet, organisationId: string, clientId?: string): PublishedKey[] | null
  pem(organisationId: string, kid: string): string | null
  /** The application whose usable transport certificate this is, while it and its organisation are active. */
  holderOf(kid: string): SoftwareStatementRecord | null
  revoke(kid: string): CertificateRecord | null
  revoked(): { readonly pem: string; readonly revokedAt: string }[]
  setSoftwareStatus(id: string, status: SoftwareStatus): SoftwareStatementRecord | null
  setOrganisationStatus(id: string, status: OrganisationStatus): OrganisationRecord | null
}

export function createDirectory(register: Register, state: State, now: Clock): Directory {
  const { keystore } = register
  const certificates = register.certificates.map((each) => readCertificate(each, keystore))
  const byKid = new Map(certificates.map((each) => [each.kid, each]))
  const organisations = new Map(register.organisations.map((each) => [each.OrganisationId, each]))
  const statements = new Map(register.softwareStatements.map((each) => [each.SoftwareStatementId, each]))

  const organisation = (id: string): OrganisationRecord | null => {
    const record = organisations.get(id)
    return record === undefined ? null : { ...record, Status: state.organisationStatus(id) ?? record.Status }
  }
  const statement = (id: string): SoftwareStatementRecord | null => {
    const record = statements.get(id)
    return record === undefined ? null : { ...record, Status: state.softwareStatus(id) ?? record.Status }
  }
  const statementOf = (organisationId: string, id: string): SoftwareStatementRecord | null => {
    const record = statement(id)
    return record?.OrganisationId === organisationId ? record : null
  }
  const record = (certificate: Certificate): CertificateRecord =>
    certificateRecord(certificate, { now: now(), revokedAt: state.revokedAt(certificate.kid), keystore })
  const usable = (certificate: Certificate): boolean => record(certificate).Status === 'Active'

  return {
    keystore,
    operatorClientId: register.operatorClientId,
    services: register.services,
    organisations: () => [...organisations.keys()].flatMap((id) => organisation(id) ?? []),
    organisation,
    rolesOfOrganisation: (id) =>
      register.organisationRoles.filter((each) => each.organisationId === id).map(({ role }) => role),
    softwareStatements: (organisationId) =>
      organisations.has(organisationId)
        ? [...statements.keys()].flatMap((id) => statementOf(organisationId, id) ?? [])
        : null,
    softwareStatement: statementOf,
    certificates: (organisationId, id) =>
      statementOf(organisationId, id) === null
        ? null
        : certificates.filter((each) => each.softwareStatementId === id).map(record),
    roles: (organisationId, id) =>
      statementOf(organisationId, id) === null
        ? null
        : register.softwareRoles.filter((each) => each.SoftwareStatementId === id),
    keys: (set, organisationId, clientId) => {
      const known = register.softwareStatements.some(
        (each) => each.OrganisationId === organisationId && (clientId === undefined || each.ClientId === clientId),
      )
      if (!known) return null
      return certificates
        .filter((each) => each.organisationId === organisationId)
        .filter((each) => clientId === undefined || each.clientId === clientId)
        .filter((each) => setOf(each) === set && usable(each))
        .map((each) => each.key)
    },
    pem: (organisationId, kid) => {
      const certificate = byKid.get(kid)
      return certificate?.organisationId === organisationId && usable(certificate) ? certificate.pem : null
    },
    holderOf: (kid) => {
      const certificate = byKid.get(kid)
      if (certificate === undefined || certificate.kind !== 'client-transport' || !usable(certificate)) return null
      const holder = statement(certificate.softwareStatementId)
      const active = holder?.Status === 'Active' && organisation(holder.OrganisationId)?.Status === 'Active'
      return active ? holder : null
    },
    revoke: (kid) => {
      const certificate = byKid.get(kid)
      if (certificate === undefined) return null
      state.revoke(kid, now())
      return record(certificate)
    },
    revoked: () =>
      certificates.flatMap(({ kid, pem }) => {
        const revokedAt = state.revokedAt(kid)
        return revokedAt === null ? [] : [{ pem, revokedAt }]
      }),
    setSoftwareStatus: (id, status) => {
      if (!statements.has(id)) return null
      state.setSoftwareStatus(id, status)
      return statement(id)
    },
    setOrganisationStatus: (id, status) => {
      if (!organisations.has(id)) return null
      state.setOrganisationStatus(id, status)
      return organisation(id)
    },
  }
}

/** Transport keys are never for signatures, so they are published apart. */
const setOf = (certificate: Certificate): KeySet => (KINDS[certificate.kind].alg === null ? 'transport' : 'application')
