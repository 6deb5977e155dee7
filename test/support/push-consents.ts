/** Consents at a bank of the sandbox that are asked for and never agreed to. */
import { readFileSync } from 'node:fs'
import type { Manifest } from '../../sandbox/manifest.ts'
import { createTppClient } from '../../sandbox/tpp/client.ts'

const DAY_MS = 86_400_000

export async function pushMany(
  { tpp, trustFramework, lfis }: Manifest,
  code: keyof Manifest['lfis'],
  count: number,
): Promise<readonly string[]> {
  const [own] = tpp.clients
  const [redirectUri] = own?.redirectUris ?? []
  if (own === undefined || redirectUri === undefined) throw new Error('the sandbox has no TPP')
  const { transport, signing, clientId } = own
  const client = await createTppClient({
    trustFrameworkUrl: new URL(trustFramework.participants).origin,
    ca: readFileSync(trustFramework.caFile, 'utf8'),
    application: {
      clientId,
      redirectUri,
      transport: { certFile: transport.certificateFile, keyFile: transport.keyFile },
      signing: { kid: signing.kid, keyFile: signing.keyFile },
    },
  })
  try {
    const lfi = (await client.lfis()).find(({ issuer }) => issuer === lfis[code].issuer)
    if (lfi === undefined) throw new Error(`the trust framework does not list ${code}`)
    const bank = await client.connect(lfi)
    await bank.register()
    const ids: string[] = []
    for (let number = 0; number < count; number += 1) {
      const expiresAt = new Date(Date.now() + DAY_MS)
      const { pending } = await bank.requestConsent({ permissions: ['ReadAccountsBasic'], expiresAt })
      ids.push(pending.consentId)
    }
    return ids
  } finally {
    await client.close()
  }
}
