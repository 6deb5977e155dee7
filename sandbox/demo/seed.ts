/**
 * A few calls of a TPP, so that the pages of the portals have something to show: one customer shares accounts, they are
 * read, and two calls are refused. Neither the customer nor the consents are those of the demo.
 */
import { readFileSync } from 'node:fs'
import type { Manifest } from '../manifest.ts'
import { createTppClient, type LfiConnection } from '../tpp/client.ts'
import { LfiFault } from '../tpp/errors.ts'
import { PRESETS } from '../tpp/permissions.ts'
import { approveAtBank } from './bank-journey.ts'
import { dataOf } from './reads.ts'

const CONSENT_DAYS = 30
const DAY_MS = 86_400_000

export async function seedTraffic(manifest: Manifest): Promise<void> {
  const ca = readFileSync(manifest.trustFramework.caFile, 'utf8')
  const [application] = manifest.tpp.clients
  const [redirectUri] = application?.redirectUris ?? []
  if (application === undefined || redirectUri === undefined) throw new Error('the manifest names no application')
  const client = await createTppClient({
    trustFrameworkUrl: manifest.trustFramework.url,
    ca,
    application: {
      clientId: application.clientId,
      redirectUri,
      transport: { certFile: application.transport.certificateFile, keyFile: application.transport.keyFile },
      signing: { kid: application.signing.kid, keyFile: application.signing.keyFile },
    },
    onCall: () => undefined,
  })
  try {
    const known = await client.lfis()
    for (const lfi of Object.values(manifest.lfis)) {
      const found = known.find(({ issuer }) => issuer === lfi.issuer)
      // The first is the customer of the demo.
      const customer = lfi.users[1]
      if (found === undefined || customer === undefined) continue
      await callsAt(await client.connect(found), { ca, redirectUri, customer })
    }
  } finally {
    await client.close()
  }
}

async function callsAt(bank: LfiConnection, setting: Parameters<typeof approveAtBank>[1]): Promise<void> {
  await bank.register()
  await bank.clientCredentials()
  const permissions = PRESETS.get('basic')?.permissions ?? []
  const expiresAt = new Date(Date.now() + CONSENT_DAYS * DAY_MS)
  const { url, pending } = await bank.requestConsent({ permissions, expiresAt })
  const { query } = await approveAtBank(url, setting)
  const { accessToken } = await bank.redeem(query, pending)
  const accounts = dataOf((await bank.read('/accounts', { accessToken })).body, 'Account') as readonly {
    readonly AccountId: string
  }[]
  for (const { AccountId } of accounts) await bank.read(`/accounts/${encodeURIComponent(AccountId)}`, { accessToken })
  const [first] = accounts
  // Outside of what was agreed to, and of what there is.
  const refused = [`/accounts/${encodeURIComponent(first?.AccountId ?? '')}/statements`, '/accounts/somebody-elses']
  for (const path of refused) await bank.read(path, { accessToken }).catch(mustBeRefused)
}

function mustBeRefused(thrown: unknown): void {
  if (!(thrown instanceof LfiFault)) throw thrown
}
