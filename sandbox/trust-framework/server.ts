/** The trust framework of the sandbox: the directory everyone else looks participants and keys up in. */
import { type KeyFiles, type Listening, listenTls } from '../tls.ts'
import { apiApp } from './api-app.ts'
import { type Clock, createDirectory } from './directory.ts'
import { type OpenIdClient, openIdApp } from './openid-app.ts'
import { publicApp } from './public-app.ts'
import { loadRegister } from './register.ts'
import { createRevocationList } from './revocation-list.ts'
import { openState } from './state.ts'
import { createTokens } from './tokens.ts'

export type TrustFrameworkSettings = {
  readonly address?: string
  /** Participants and keystore; server TLS only. */
  readonly publicPort: number
  /** Directory API, token endpoint and operator's acts; mutual TLS. */
  readonly apiPort: number
  readonly server: KeyFiles
  /** Authorities of the callers. */
  readonly caFile: string
  /** Written by enrolment. */
  readonly registerFile: string
  /** Written here: revocations and changes of status. */
  readonly stateFile: string
  /** The issuing authority, which revokes what the directory's operator revokes; absent: nobody publishes a list. */
  readonly issuer?: KeyFiles
  /** Where people log in, and who sends them there; absent: nobody does. */
  readonly openId?: { readonly port: number; readonly clients: readonly OpenIdClient[] }
  readonly clock?: Clock
}

export type TrustFramework = {
  readonly publicUrl: string
  readonly apiUrl: string
  readonly tokenUrl: string
  close(): Promise<void>
}

export async function startTrustFramework(settings: TrustFrameworkSettings): Promise<TrustFramework> {
  const clock = settings.clock ?? (() => new Date())
  const directory = createDirectory(loadRegister(settings.registerFile), openState(settings.stateFile), clock)
  const { issuer } = settings
  const list = issuer === undefined ? null : createRevocationList(issuer, directory, clock)
  const common = { server: settings.server, ...(settings.address === undefined ? {} : { address: settings.address }) }
  const open: Listening[] = []
  const close = async (): Promise<void> => {
    await Promise.all(open.map((each) => each.close()))
  }
  try {
    open.push(await listenTls({ ...common, port: settings.publicPort }, publicApp(directory, list).callback()))
    const api = apiApp(directory, createTokens(clock)).callback()
    open.push(await listenTls({ ...common, port: settings.apiPort, clientCaFile: settings.caFile }, api))
    if (settings.openId !== undefined) {
      const { port, clients } = settings.openId
      const provider = openIdApp(`https://localhost:${port}`, clients, directory)
      open.push(await listenTls({ ...common, port }, provider.callback()))
    }
  } catch (error) {
    await close()
    throw error
  }
  const [publicUrl, apiUrl] = open.map(({ port }) => `https://localhost:${port}`) as [string, string]
  return { publicUrl, apiUrl, tokenUrl: `${apiUrl}/token`, close }
}
