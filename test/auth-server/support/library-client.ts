/** openid-client as the TPP: it finds the endpoints by itself and judges the answers by its own reading of the RFCs. */
import { createPrivateKey, webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as oidc from 'openid-client'
import { Agent, fetch as undiciFetch } from 'undici'
import type { World } from './world.ts'

export type LibraryClient = {
  introspect(token: string): Promise<Readonly<Record<string, unknown>>>
  userinfo(token: string, subject: string): Promise<Readonly<Record<string, unknown>>>
  revoke(token: string): Promise<void>
  close(): Promise<void>
}

/** `signed`: it asks for signed answers, takes no others, and checks the signatures. */
export async function createLibraryClient(
  world: World,
  { signed }: { readonly signed: boolean },
): Promise<LibraryClient> {
  const { clientId, signing, transport } = world.manifest.tpp.clients[0] ?? never()
  const agent = new Agent({
    connect: {
      ca: readFileSync(world.manifest.trustFramework.caFile),
      cert: readFileSync(transport.certificateFile),
      key: readFileSync(transport.keyFile),
    },
  })
  const fetch: oidc.CustomFetch = async (url, options) =>
    (await undiciFetch(url, { ...options, dispatcher: agent } as Parameters<
      typeof undiciFetch
    >[1])) as unknown as Response
  const pkcs8 = createPrivateKey(readFileSync(signing.keyFile)).export({ type: 'pkcs8', format: 'der' })
  const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, { name: 'RSA-PSS', hash: 'SHA-256' }, false, ['sign'])
  const config = await oidc.discovery(
    new URL(world.server.issuer),
    clientId,
    {
      use_mtls_endpoint_aliases: true,
      ...(signed ? { introspection_signed_response_alg: 'PS256', userinfo_signed_response_alg: 'PS256' } : {}),
    },
    oidc.PrivateKeyJwt({ key, kid: signing.kid }),
    { [oidc.customFetch]: fetch },
  )
  if (signed) oidc.enableNonRepudiationChecks(config)
  return {
    introspect: async (token) => oidc.tokenIntrospection(config, token),
    userinfo: async (token, subject) => oidc.fetchUserInfo(config, token, subject),
    revoke: (token) => oidc.tokenRevocation(config, token),
    close: () => agent.close(),
  }
}

function never(): never {
  throw new Error('the sandbox has TPP applications')
}
