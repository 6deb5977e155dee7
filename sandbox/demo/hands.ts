/** One side of the journey at a time, for somebody who builds the other: a TPP that asks, a customer who agrees. */
import { readFileSync } from 'node:fs'
import type { Manifest, ManifestLfi } from '../manifest.ts'
import { SandboxError } from '../sandbox-error.ts'
import { createTppClient } from '../tpp/client.ts'
import { PRESETS } from '../tpp/permissions.ts'
import { approveAtBank } from './bank-journey.ts'
import { aed, askFor } from './payment-steps.ts'

const CONSENT_MS = 30 * 86_400_000
const PAYMENT = { ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: aed('12.00') } } }

/** Accounts to read, or a payment that several may have to agree to. */
export type Wanted = 'accounts' | 'payment'

/** The address that the first application sends a customer to. */
export async function askAtBank(
  { tpp, trustFramework }: Manifest,
  lfi: ManifestLfi,
  wanted: Wanted = 'accounts',
): Promise<string> {
  const [application] = tpp.clients
  if (application === undefined) throw new SandboxError('the manifest names no application')
  const { clientId, redirectUris, transport, signing } = application
  const client = await createTppClient({
    trustFrameworkUrl: trustFramework.url,
    ca: readFileSync(trustFramework.caFile, 'utf8'),
    application: {
      clientId,
      redirectUri: redirectUris[0] ?? '',
      transport: { certFile: transport.certificateFile, keyFile: transport.keyFile },
      signing,
    },
  })
  try {
    const found = (await client.lfis()).find(({ issuer }) => issuer === lfi.issuer)
    if (found === undefined) throw new SandboxError('the trust framework does not list this bank')
    const bank = await client.connect(found)
    await bank.register()
    if (wanted === 'payment') {
      return (await bank.requestPayment({ ...askFor(PAYMENT), allowsSeveral: true })).url
    }
    const permissions = PRESETS.get('basic')?.permissions ?? []
    return (await bank.requestConsent({ permissions, expiresAt: new Date(Date.now() + CONSENT_MS) })).url
  } finally {
    await client.close()
  }
}

/** Where the bank sends a customer back to, who agrees to everything. */
export async function agreeAtBank(manifest: Manifest, address: string, username: string): Promise<string> {
  const bank = Object.values(manifest.lfis).find((lfi) => address.startsWith(`${lfi.authorizationEndpoint}?`))
  const customer = bank?.users.find((user) => user.username === username)
  if (customer === undefined) throw new SandboxError(`no bank here has this address and a customer ${username}`)
  const redirectUri = manifest.tpp.clients[0]?.redirectUris[0] ?? ''
  const ca = readFileSync(manifest.trustFramework.caFile, 'utf8')
  const { query } = await approveAtBank(address, { ca, redirectUri, customer })
  return `${redirectUri}?${query}`
}
