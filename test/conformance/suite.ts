/**
 * What the modules are run against: one hub at its real listeners, two applications of a TPP that share neither key nor
 * certificate, and the bank that belongs to the hub. Nothing of the hub's code is imported: whichever process answers
 * at the addresses is judged by its answers.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bankUsers } from '../../sandbox/bank/users.ts'
import type { Manifest } from '../../sandbox/manifest.ts'
import { loadEnrolment } from '../../sandbox/trust-framework/enrolment.ts'
import { type Bank, createBank } from '../auth-server/support/bank.ts'
import type { Json } from '../auth-server/support/jws.ts'
import { createTpp, type Server, type Tpp } from '../auth-server/support/tpp.ts'
import { type Answer, createWire, type Wire } from '../auth-server/support/wire.ts'
import { createSpeaker, type Speaker } from './speaker.ts'
import { type Style, UAE_STYLE } from './style.ts'
import { scan, type TlsFinding } from './tls-scan.ts'

export type HubDoors = Readonly<Record<'auth' | 'as' | 'rs' | 'hh' | 'cm', string>>
export type Sandbox = { readonly manifest: Manifest; readonly dataDir: string }
export type Metadata = Readonly<Record<string, unknown>>

export type Suite = Omit<Speaker, 'read'> & {
  readonly style: Style
  readonly issuer: string
  readonly server: Server
  /** A resource that answers GET to the access tokens of these consents. */
  readonly resource: string
  readonly first: Tpp
  readonly second: Tpp
  /** The second application with the redirect URI that has a query of its own. */
  readonly secondRedirectUri: string
  readonly bank: Bank
  /** A caller without a certificate. */
  readonly anonymous: Wire
  /** The resource, with an access token, as this application reads it. */
  read(by: Tpp, accessToken: string, how?: Parameters<Speaker['read']>[3]): Promise<Answer>
  /** The discovery document as it is at this moment. */
  discover(): Promise<Answer>
  keys(): Promise<readonly Json[]>
  /** Once for each listener that a TPP speaks to: it does not change while it runs. */
  tlsFindings(): Promise<readonly TlsFinding[]>
  close(): void
}

const DISCOVERY_SUFFIX = '/.well-known/openid-configuration'
const RESOURCE = '/open-finance/account-information/v2.1/accounts'

export async function enterSuite(
  { manifest, dataDir }: Sandbox,
  doors: HubDoors,
  style: Style = UAE_STYLE,
): Promise<Suite> {
  const { caFile } = manifest.trustFramework
  const anonymous = createWire(caFile, null)
  const discover = () => anonymous.send(`${doors.auth}${DISCOVERY_SUFFIX}`)
  const metadata: Metadata = (await discover()).json
  const endpoint = (name: string): string => String(metadata[name])
  const server: Server = {
    issuer: doors.auth,
    par: endpoint('pushed_authorization_request_endpoint'),
    token: endpoint('token_endpoint'),
    rs: doors.rs,
    registration: endpoint('registration_endpoint'),
  }
  const [one, two] = manifest.tpp.clients
  if (one === undefined || two === undefined) throw new Error('the sandbox has two TPP applications')
  const secondRedirectUri = two.redirectUris.find((uri) => new URL(uri).search !== '')
  if (secondRedirectUri === undefined) throw new Error('no redirect URI with a query is registered')
  const [first, second] = [createTpp(one, server, caFile), createTpp(two, server, caFile)]
  const bank = createBank(bankSettings(dataDir, doors), caFile)
  for (const each of [first, second]) {
    const { status, text } = await each.register()
    if (status >= 300) throw new Error(`registration: ${status} ${text}`)
  }
  const speaker = createSpeaker(style, { tokenEndpoint: server.token, anonymous })
  const resource = `${doors.rs}${RESOURCE}`
  let findings: Promise<readonly TlsFinding[]> | null = null
  return {
    ...speaker,
    style,
    issuer: doors.auth,
    server,
    resource,
    first,
    second,
    secondRedirectUri,
    bank,
    anonymous,
    read: (by, accessToken, how) => speaker.read(by, resource, accessToken, how),
    discover,
    keys: async () => (await patiently(() => anonymous.send(endpoint('jwks_uri')))).json['keys'] as readonly Json[],
    tlsFindings: () => {
      findings ??= scan([doors.auth, server.par, server.token, doors.rs])
      return findings
    },
    close: () => {
      for (const wire of [anonymous, first.wire, second.wire, bank.wire]) wire.close()
    },
  }
}

/** An idle connection may be closed by the other side at the very moment in which it is used again. */
const patiently = <T>(get: () => Promise<T>): Promise<T> => get().catch(get)

function bankSettings(dataDir: string, doors: HubDoors): Parameters<typeof createBank>[0] {
  const { banks } = loadEnrolment(dataDir)
  const { aurora } = banks
  const [user] = bankUsers('aurora')
  if (user === undefined) throw new Error('the bank has no customers')
  return {
    organisation: aurora.name,
    organisationId: aurora.organisationId,
    client: { certificateFile: aurora.client.certFile, keyFile: aurora.client.keyFile },
    signing: aurora.signing,
    user,
    audience: 'aurora',
    hh: doors.hh,
    cm: doors.cm,
  }
}

/** The doors of the sandbox's own hub, as its operator knows them. */
export function hubDoors({ dataDir }: Pick<Sandbox, 'dataDir'>): HubDoors {
  const file = join(dataDir, 'hubs/aurora/tenants/aurora.json')
  const { listeners } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly listeners: Readonly<Record<keyof HubDoors, { readonly origin: string }>>
  }
  const origin = (role: keyof HubDoors) => listeners[role].origin
  return { auth: origin('auth'), as: origin('as'), rs: origin('rs'), hh: origin('hh'), cm: origin('cm') }
}
