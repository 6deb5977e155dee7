/** What the application does for a person: connect to a bank, come back from it, read, end the connection. */
import type { LfiConnection, TppClient } from './client.ts'
import type { Lfi } from './directory.ts'
import { LfiFault, untrusted } from './errors.ts'
import type { Preset } from './permissions.ts'
import type { ResourceAnswer } from './resources.ts'
import type { Connection, Session, State } from './state.ts'

export type Journey = {
  lfi(code: string): Promise<LfiConnection>
  /** The address at the bank to send the browser to. */
  connect(lfi: Lfi, preset: Preset, session: Session): Promise<string>
  comeBack(query: URLSearchParams, session: Session): Promise<Connection>
  read(connection: Connection, path: string, options: ReadOptions): Promise<ResourceAnswer>
  /** Asks for a new access token now. */
  renewTokens(connection: Connection): Promise<void>
}
export type ReadOptions = { readonly ipAddress: string; readonly userAgent: string; readonly signed?: boolean }

const CONSENT_DAYS = 180
const HISTORY_DAYS = 365
const DAY_MS = 86_400_000
/** An access token this close to its end is renewed before use. */
const TOKEN_MARGIN_MS = 15_000
const NOT_REGISTERED: readonly (string | null)[] = ['invalid_client', 'unauthorized_client']

export function createJourney(client: TppClient, state: State, webhookUrl?: string): Journey {
  const lfi = async (code: string): Promise<LfiConnection> => {
    const found = (await client.lfis()).find((one) => one.code === code)
    if (found === undefined) throw new LfiFault('resource', 'the trust framework lists no such bank', { status: 404 })
    return client.connect(found)
  }

  const register = async (bank: LfiConnection): Promise<void> => {
    await bank.register()
    state.registered(bank.lfi.issuer)
  }

  /** tpp-api 9.1: registration is idempotent, so a hub that has forgotten this application is told again, once. */
  const registered = async <T>(bank: LfiConnection, work: () => Promise<T>): Promise<T> => {
    if (state.registeredAt(bank.lfi.issuer) === null) await register(bank)
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof LfiFault) || error.kind !== 'oauth' || !NOT_REGISTERED.includes(error.code)) throw error
      await register(bank)
      return await work()
    }
  }

  const renewTokens = async (connection: Connection): Promise<void> => {
    connection.tokens = await (await lfi(connection.lfiCode)).refresh(connection.tokens)
  }

  return {
    lfi,
    renewTokens,
    connect: async (chosen, preset, session) => {
      const bank = await client.connect(chosen)
      const { pending, url } = await registered(bank, () =>
        bank.requestConsent({
          permissions: preset.permissions,
          expiresAt: new Date(Date.now() + CONSENT_DAYS * DAY_MS),
          from: dateOf(Date.now() - HISTORY_DAYS * DAY_MS),
          ...(webhookUrl === undefined ? {} : { webhookUrl }),
        }),
      )
      session.pending.push({
        ...pending,
        lfiCode: chosen.code,
        lfiName: chosen.name,
        presetLabel: preset.label,
        startedAt: Date.now(),
      })
      return url
    },
    comeBack: async (query, session) => {
      const started = session.pending.find((one) => one.state === query.get('state'))
      if (started === undefined) throw untrusted('this callback answers nothing that was started in this browser')
      // Once only: whatever comes of it, the same callback cannot be played again.
      session.pending = session.pending.filter((one) => one !== started)
      const tokens = await (await lfi(started.lfiCode)).redeem(query, started)
      const connection: Connection = {
        consentId: started.consentId,
        lfiCode: started.lfiCode,
        lfiName: started.lfiName,
        presetLabel: started.presetLabel,
        connectedAt: Date.now(),
        tokens,
      }
      session.connections.push(connection)
      return connection
    },
    read: async (connection, path, options) => {
      const bank = await lfi(connection.lfiCode)
      const once = (): Promise<ResourceAnswer> =>
        bank.read(path, {
          accessToken: connection.tokens.accessToken,
          signed: options.signed === true,
          customer: {
            ipAddress: options.ipAddress,
            userAgent: options.userAgent,
            since: new Date(connection.connectedAt),
          },
        })
      if (connection.tokens.expiresAt - TOKEN_MARGIN_MS < Date.now()) await renewTokens(connection)
      try {
        return await once()
      } catch (error) {
        // A token can end before its time, by revocation or a restart; the refresh says which of the two.
        if (!(error instanceof LfiFault) || error.status !== 401) throw error
        await renewTokens(connection)
        return await once()
      }
    },
  }
}

const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
