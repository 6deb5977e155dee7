/** A bank with two addresses of one back end, a page for its customers, and a token endpoint that wants to know who asks. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TenantConfig } from '../../../src/config.ts'
import { Secret } from '../../../src/secret.ts'
import { type Answering, json, type StandInLfi, startLfi } from '../../gateway/support/outside.ts'
import { createAuthority } from '../../gateway/support/pki.ts'

export const CLIENT_SECRET = 'the-secret-of-the-hub'

export type Bank = {
  readonly doors: readonly [StandInLfi, StandInLfi]
  /** Where people go: no certificate is asked for. */
  readonly page: string
  /** Whose hub knows this bank at the first of its addresses. */
  readonly tenant: TenantConfig
  close(): Promise<void>
}

const answers: Answering = (asked, response) => {
  const { pathname } = new URL(asked.url, 'https://bank.example')
  const hello = { connectionEstablished: true, mtlsStatus: 'established', hostName: 'bank' }
  if (pathname.startsWith('/oc/hello')) return json(200, hello)(asked, response)
  if (pathname === '/oc/token') return json(asked.headers.authorization === undefined ? 401 : 200, {})(asked, response)
  return json(404, {})(asked, response)
}

export async function startBank(tenant: TenantConfig): Promise<Bank> {
  const authority = await createAuthority('Test Bank')
  const hub = { ...authority, certificate: tenant.lfi.ca }
  const issued = () => authority.issue({ O: 'Bank', dns: 'localhost' })
  const doors = [await startLfi(await issued(), hub), await startLfi(await issued(), hub)] as const
  for (const each of doors) each.answer = answers
  const { certificate: cert, key } = await issued()
  const pages = createServer({ cert, key }, (asked, answer) => {
    answer.writeHead(asked.url?.startsWith('/authorize?client_id=') === true ? 400 : 404).end()
  })
  await new Promise<void>((ready) => pages.listen(0, '127.0.0.1', () => ready()))
  const [{ url }] = doors
  const authentication = {
    type: 'client-credentials',
    tokenUrl: `${url}/token`,
    clientId: 'hub',
    clientSecret: new Secret(CLIENT_SECRET),
  } as const
  const lfi = { ...tenant.lfi, ozoneConnectUrl: url, ca: authority.certificate, authentication }
  return {
    doors,
    page: `https://localhost:${(pages.address() as AddressInfo).port}`,
    tenant: { ...tenant, authorizationEndpoint: `${url}/authorize`, lfi },
    close: async () => {
      await Promise.all(doors.map((door) => door.close()))
      pages.close()
    },
  }
}
