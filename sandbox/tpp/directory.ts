/** Finding LFIs through the trust framework's open list of participants (tpp-api 9.4). */
import { untrusted } from './errors.ts'
import type { Transport } from './transport.ts'

export type Lfi = {
  /** A short handle for pages and files, from the name: the directory has no such member. */
  readonly code: string
  readonly organisationId: string
  readonly name: string
  readonly issuer: string
  readonly discoveryUrl: string
  /** Base of the account-information operations, e.g. `https://rs1…/open-finance/account-information/v2.1`. */
  readonly accountInformationUrl: string
  /** Bases of the other families, by the name that the directory gives them. */
  readonly services?: ReadonlyMap<string, string>
}

export type Directory = { lfis(): Promise<readonly Lfi[]> }

const CACHE_MS = 15 * 60 * 1000
const ACCOUNT_INFORMATION = '/open-finance/account-information/v2.1'

export function createDirectory(transport: Transport, trustFrameworkUrl: string): Directory {
  let cached: { readonly lfis: readonly Lfi[]; readonly until: number } | null = null
  return {
    lfis: async () => {
      if (cached !== null && cached.until > Date.now()) return cached.lfis
      const response = await transport.fetch(new URL('/participants', trustFrameworkUrl).href, {
        headers: { accept: 'application/json' },
      })
      if (response.status !== 200) throw untrusted(`the trust framework answered ${response.status} to /participants`)
      const lfis = readParticipants(await response.json())
      // An empty list is an answer of a directory still starting; remembering it would hide the banks for a while.
      if (lfis.length > 0) cached = { lfis, until: Date.now() + CACHE_MS }
      return lfis
    },
  }
}

export function readParticipants(document: unknown): readonly Lfi[] {
  if (!Array.isArray(document)) throw untrusted('the list of participants is not an array')
  const taken = new Set<string>()
  const lfis: Lfi[] = []
  for (const organisation of document.map(record)) {
    if (organisation['Status'] !== 'Active') continue
    for (const server of list(organisation['AuthorisationServers'])) {
      const lfi = toLfi(organisation, server, taken)
      if (lfi !== null) lfis.push(lfi)
    }
  }
  return lfis
}

function toLfi(organisation: Json, server: Json, taken: Set<string>): Lfi | null {
  const issuer = httpsUrl(server['Issuer'])
  const discoveryUrl = httpsUrl(server['OpenIDDiscoveryDocument'])
  const accountInformationUrl = accountInformationBase(server)
  const name = text(server['CustomerFriendlyName']) ?? text(organisation['OrganisationName'])
  const organisationId = text(organisation['OrganisationId'])
  // Not one this application can use: no account information, or a record it must not follow.
  if (!issuer || !discoveryUrl || !accountInformationUrl || name === null || organisationId === null) return null
  const code = handle(name, taken)
  return { code, organisationId, name, issuer, discoveryUrl, accountInformationUrl, services: serviceBases(server) }
}

function accountInformationBase(server: Json): string | null {
  for (const resource of list(server['ApiResources'])) {
    if (resource['ApiFamilyType'] !== 'account-information') continue
    for (const endpoint of list(resource['ApiDiscoveryEndpoints'])) {
      const named = httpsUrl(endpoint['ApiEndpoint'])
      const url = named === null ? null : new URL(named).href
      const at = url?.indexOf(ACCOUNT_INFORMATION) ?? -1
      if (url && at > 0) return url.slice(0, at + ACCOUNT_INFORMATION.length)
    }
  }
  return null
}

const SERVICE_BASE = /^https:\/\/[^/?#]+\/open-finance\/[a-z-]+\/v2\.1(?=\/)/

function serviceBases(server: Json): ReadonlyMap<string, string> {
  const bases = list(server['ApiResources']).flatMap((resource) => {
    const type = text(resource['ApiFamilyType'])
    const [endpoint] = list(resource['ApiDiscoveryEndpoints'])
    const base = SERVICE_BASE.exec(httpsUrl(endpoint?.['ApiEndpoint']) ?? '')?.[0]
    return type === null || base === undefined ? [] : [[type, base] as const]
  })
  return new Map(bases)
}

function handle(name: string, taken: Set<string>): string {
  const word = /[a-z0-9]+/.exec(name.toLowerCase())?.[0] ?? 'bank'
  let code = word
  for (let n = 2; taken.has(code); n += 1) code = `${word}-${n}`
  taken.add(code)
  return code
}

type Json = Readonly<Record<string, unknown>>
const record = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(record) : [])
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const httpsUrl = (value: unknown): string | null =>
  typeof value === 'string' && URL.canParse(value) && new URL(value).protocol === 'https:' ? value : null
