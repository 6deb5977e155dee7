/**
 * What the directory says, read as what anybody else says: by shape and size, record by record. One that is not as it
 * should be is left out and named in the log; the others count. An answer that is another thing altogether is a fault of
 * the directory, as if it had not answered.
 */
export type OrganisationRecord = {
  readonly OrganisationId: string
  readonly OrganisationName: string
  readonly Status: string
}
export type SoftwareStatementRecord = {
  readonly SoftwareStatementId: string
  readonly OrganisationId: string
  readonly ClientId: string
  readonly ClientName: string
  readonly Status: string
  readonly RedirectUri?: readonly string[]
  readonly ApiWebhookUri?: readonly string[]
  readonly LogoUri?: string
  readonly ClientUri?: string
}
export type CertificateRecord = { readonly kid: string; readonly Status: string; readonly x5thashS256?: string }

/** Names what is left out, and says why; never what it holds. */
export type Refuse = (what: string, why: string) => void

const RECORDS_MAX = 1000
/** Of one record, as it is kept and handed to the LFI. */
const RECORD_TEXT_MAX = 32_768
const DEPTH_MAX = 6
const TEXT_MAX = 256
const URIS_MAX = 50
const URI_MAX = 2048
/** base64url of a SHA-256 digest. */
const THUMBPRINT = /^[\w-]{43}$/

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= TEXT_MAX

/** @throws when it is not the record of that organisation */
export function readOrganisation(raw: unknown, organisationId: string): OrganisationRecord {
  const why = faultOf(raw, ['OrganisationId', 'OrganisationName', 'Status'])
  if (why !== null) throw new Error(`the directory's record of an organisation is refused: ${why}`)
  const record = raw as OrganisationRecord
  if (record.OrganisationId !== organisationId) throw new Error('the directory answered with another organisation')
  return record
}

/** `lost`: how many were left out. @throws when it is no list */
export function readStatements(
  raw: unknown,
  organisationId: string,
  refuse: Refuse,
): { readonly records: readonly SoftwareStatementRecord[]; readonly lost: number } {
  const all = listIn(raw)
  const good = all.flatMap((each, at) => {
    const what = `software statement ${at}`
    const why = faultOf(each, ['SoftwareStatementId', 'OrganisationId', 'ClientId', 'ClientName', 'Status'])
    if (why !== null) {
      refuse(what, why)
      return []
    }
    const record = each as SoftwareStatementRecord
    if (record.OrganisationId !== organisationId) {
      refuse(what, 'it is of another organisation')
      return []
    }
    return [withUris(record, what, refuse)]
  })
  const records = good.filter((record) => {
    const isAlone = good.filter(({ ClientId }) => ClientId === record.ClientId).length === 1
    if (!isAlone) refuse(`software statement ${record.SoftwareStatementId}`, 'its client id is not its own')
    return isAlone
  })
  return { records, lost: all.length - records.length }
}

/** @throws when it is no list */
export function readCertificates(raw: unknown, refuse: Refuse): readonly CertificateRecord[] {
  return listIn(raw).flatMap((each, at) => {
    const record = isRecord(each) ? each : {}
    const { kid, Status, x5thashS256 } = record
    const thumbprint = x5thashS256 ?? kid
    if (isText(kid) && isText(Status) && typeof thumbprint === 'string' && THUMBPRINT.test(thumbprint)) {
      return [{ kid, Status, ...(x5thashS256 === undefined ? {} : { x5thashS256: thumbprint }) }]
    }
    refuse(`certificate ${at}`, 'it has no thumbprint or no status')
    return []
  })
}

/** Names of roles that are not inactive. @throws when it is no list */
export function readRoles(raw: unknown, refuse: Refuse): readonly string[] {
  const names = listIn(raw).flatMap((each, at) => {
    const { AuthorisationDomainRoleName: name, Status: status } = isRecord(each) ? each : {}
    if (isText(name) && (status === undefined || isText(status))) return status === 'Inactive' ? [] : [name]
    refuse(`role ${at}`, 'it has no name')
    return []
  })
  return [...new Set(names)]
}

function listIn(raw: unknown): readonly unknown[] {
  if (!Array.isArray(raw)) throw new Error("the directory's answer is no list")
  if (raw.length > RECORDS_MAX) throw new Error("the directory's answer is too long a list")
  return raw
}

/** null: none. */
function faultOf(raw: unknown, texts: readonly string[]): string | null {
  if (!isRecord(raw)) return 'it is no object'
  if (isDeeperThan(raw, DEPTH_MAX)) return 'it is nested too deep'
  if (JSON.stringify(raw).length > RECORD_TEXT_MAX) return 'it is too large'
  const missing = texts.find((name) => !isText(raw[name]))
  return missing === undefined ? null : `${missing} is no text of 1 to ${TEXT_MAX} characters`
}

const isDeeperThan = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((each) => isDeeperThan(each, levels - 1)))

/** An address that cannot be used is left out; the application keeps the others. */
function withUris(record: SoftwareStatementRecord, what: string, refuse: Refuse): SoftwareStatementRecord {
  const { RedirectUri, ApiWebhookUri, LogoUri, ClientUri, ...rest } = record
  const isGood = (uri: unknown): uri is string =>
    typeof uri === 'string' && uri.length <= URI_MAX && URL.parse(uri)?.protocol === 'https:' && !uri.includes('#')
  const many = (name: string, uris: unknown): readonly string[] => {
    const all = uris === undefined || uris === null ? [] : Array.isArray(uris) ? uris : [uris]
    const good = all.slice(0, URIS_MAX).filter(isGood)
    if (good.length < all.length) refuse(`${what}, ${name}`, 'some are no https addresses, or they are too many')
    return good
  }
  return {
    ...rest,
    RedirectUri: many('RedirectUri', RedirectUri),
    ApiWebhookUri: many('ApiWebhookUri', ApiWebhookUri),
    ...(isGood(LogoUri) ? { LogoUri } : {}),
    ...(isGood(ClientUri) ? { ClientUri } : {}),
  }
}
