/** One application of a TPP, as the trust framework vouches for it and as this LFI's operator has decided. */
import type { ClientId, OrganisationId, Thumbprint } from '../ids.ts'
import type { JWK } from '../jose.ts'
import { type RevokedTokens, revokedTokensIn } from '../revoked-tokens.ts'
import type { CertificateRecord, OrganisationRecord, SoftwareStatementRecord } from './directory-records.ts'
import { opened } from './roles.ts'

export type LocalStatus = 'inactive' | 'active' | 'blocked'
export type CertificateStatus = 'active' | 'revoked' | 'unknown'

export type Client = {
  readonly clientId: ClientId
  readonly organisationId: OrganisationId
  readonly softwareStatementId: string
  readonly tppName: string
  readonly clientName: string
  /** `active` only when TPP, software statement and client all are, here and at the directory (lfi-api 7.3). */
  readonly status: LocalStatus
  readonly redirectUris: readonly string[]
  readonly webhookUris: readonly string[]
  readonly scopes: readonly string[]
  readonly rarTypes: readonly string[]
  readonly roles: readonly string[]
  /** Public keys as published now: signing and encryption, without the revoked. */
  readonly jwks: { readonly keys: readonly JWK[] }
  readonly jwksUri: string
  readonly certificates: ReadonlyMap<Thumbprint, Exclude<CertificateStatus, 'unknown'>>
  readonly directoryRecord: {
    readonly organisation: OrganisationRecord
    readonly softwareStatement: SoftwareStatementRecord
  }
  readonly logoUri: string | null
  readonly clientUri: string | null
  /** `jti` of access tokens of its own, without a user, that it gave back before their end. */
  readonly revokedTokens?: readonly string[]
}

/** The join of the three records. */
export type ClientRow = {
  readonly client_id: string
  readonly client_status: LocalStatus
  readonly revoked_tokens: RevokedTokens | null
  readonly software_statement_id: string
  readonly statement_status: LocalStatus
  readonly statement_directory_status: string
  readonly organisation_id: string
  readonly tpp_status: LocalStatus
  readonly tpp_directory_status: string
  readonly tpp_name: string
  readonly tpp_record: OrganisationRecord
  readonly statement_record: SoftwareStatementRecord
  readonly roles: readonly string[]
  readonly certificates: readonly CertificateRecord[]
  readonly jwks: { readonly keys: readonly JWK[] }
  readonly fetched_at: Date
}

export function toClient(row: ClientRow, keystoreUrl: string): Client {
  const statement = row.statement_record
  return {
    clientId: row.client_id as ClientId,
    organisationId: row.organisation_id as OrganisationId,
    softwareStatementId: row.software_statement_id,
    tppName: row.tpp_name,
    clientName: statement.ClientName,
    status: effectiveStatus(row),
    redirectUris: statement.RedirectUri ?? [],
    webhookUris: statement.ApiWebhookUri ?? [],
    ...opened(row.roles),
    roles: row.roles,
    jwks: row.jwks,
    jwksUri: `${keystoreUrl}/${row.organisation_id}/${row.client_id}/application.jwks`,
    certificates: certificatesIn(row.certificates),
    directoryRecord: { organisation: row.tpp_record, softwareStatement: statement },
    logoUri: statement.LogoUri ?? null,
    clientUri: statement.ClientUri ?? null,
    ...revokedTokensIn(row.revoked_tokens),
  }
}

/** The directory's key id of a certificate is its thumbprint (tpp-api 9.3); some records name it twice. */
export const thumbprintIn = (record: CertificateRecord): Thumbprint => (record.x5thashS256 ?? record.kid) as Thumbprint

/** Of two records of one certificate the one that does not let it pass counts. */
function certificatesIn(records: readonly CertificateRecord[]): Client['certificates'] {
  const found = new Map<Thumbprint, 'active' | 'revoked'>()
  for (const record of records) {
    const thumbprint = thumbprintIn(record)
    const isActive = record.Status === 'Active' && found.get(thumbprint) !== 'revoked'
    found.set(thumbprint, isActive ? 'active' : 'revoked')
  }
  return found
}

export function effectiveStatus(row: ClientRow): LocalStatus {
  const local = [row.tpp_status, row.statement_status, row.client_status]
  if (local.includes('blocked')) return 'blocked'
  if (row.tpp_directory_status !== 'Active' || row.statement_directory_status !== 'Active') return 'blocked'
  return local.every((status) => status === 'active') ? 'active' : 'inactive'
}

/** The `tpp` object that the LFI sees (lfi-api 1.3.1). */
export type TppView = {
  readonly clientId: string
  readonly tppId: string
  readonly tppName: string
  readonly softwareStatementId: string
  readonly orgId: string
  readonly decodedSsa: Readonly<Record<string, unknown>>
  /** Base64 of the JSON of what the directory said. */
  readonly directoryRecord: string
}

export function tppView(client: Client): TppView {
  return {
    clientId: client.clientId,
    tppId: client.organisationId,
    tppName: client.tppName,
    softwareStatementId: client.softwareStatementId,
    orgId: client.organisationId,
    decodedSsa: {
      client_id: client.clientId,
      client_name: client.clientName,
      organisation_id: client.organisationId,
      redirect_uris: client.redirectUris,
      jwks_uri: client.jwksUri,
      roles: client.roles,
      application_type: 'web',
      ...(client.logoUri === null ? {} : { logo_uri: client.logoUri }),
      ...(client.clientUri === null ? {} : { client_uri: client.clientUri }),
    },
    directoryRecord: Buffer.from(JSON.stringify(client.directoryRecord)).toString('base64'),
  }
}
