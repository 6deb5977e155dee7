/** What the application does for a person: connect to a bank, come back from it, renew, read, pay, end the connection. */
import { randomUUID } from 'node:crypto'
import type { Pushed } from './authorization.ts'
import type { LfiConnection, TppClient } from './client.ts'
import type { ConsentKind } from './consent-kinds.ts'
import type { Lfi } from './directory.ts'
import { LfiFault, untrusted } from './errors.ts'
import { OFFERS, type Offer, PAYEE, PURPOSE, REFERENCE } from './offers.ts'
import type { ResourceAnswer } from './resources.ts'
import type { Connection, Session, State } from './state.ts'

export type Journey = {
  lfi(code: string): Promise<LfiConnection>
  /** The address at the bank to send the browser to. `offer` is its name. */
  connect(lfi: Lfi, offer: string, session: Session): Promise<string>
  /** The same once more, as a consent that continues the chain of this one (tpp-api 4.5). */
  renew(connection: Connection, session: Session): Promise<string>
  comeBack(query: URLSearchParams, session: Session): Promise<Connection>
  read(connection: Connection, path: string, options: ReadOptions): Promise<ResourceAnswer>
  /** One payment of what the consent was offered for, under a key of its own. */
  pay(connection: Connection): Promise<void>
  /** Asks for a new access token now. */
  renewTokens(connection: Connection): Promise<void>
}
export type ReadOptions = { readonly ipAddress: string; readonly userAgent: string; readonly signed?: boolean }

/** Of connections from before their offer was noted. */
const FIRST_OFFER = 'all'
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

  const start = async (bank: LfiConnection, name: string, session: Session, before?: Connection): Promise<string> => {
    const offer = OFFERS.get(name)
    if (offer === undefined) throw new Error(`nothing is offered under the name ${name}`)
    const baseConsentId = before === undefined ? undefined : (before.baseConsentId ?? before.consentId)
    const { pending, url } = await registered(bank, () => push(bank, offer, baseConsentId))
    session.pending.push({
      ...pending,
      lfiCode: bank.lfi.code,
      lfiName: bank.lfi.name,
      presetLabel: offer.label,
      offer: name,
      ...(baseConsentId === undefined ? {} : { baseConsentId }),
      ...(before === undefined ? {} : { renews: before.consentId }),
      startedAt: Date.now(),
    })
    return url
  }

  const push = (bank: LfiConnection, offer: Offer, baseConsentId: string | undefined): Promise<Pushed> => {
    const common = {
      expiresAt: new Date(Date.now() + CONSENT_DAYS * DAY_MS),
      ...(baseConsentId === undefined ? {} : { baseConsentId }),
      ...(webhookUrl === undefined ? {} : { webhookUrl }),
    }
    switch (offer.kind) {
      case 'accounts': {
        const from = dateOf(Date.now() - HISTORY_DAYS * DAY_MS)
        return bank.requestConsent({ ...common, permissions: offer.permissions, from })
      }
      case 'payments': {
        const terms = { control: offer.control(), creditors: [PAYEE], purpose: PURPOSE, reference: REFERENCE }
        return bank.requestPayment({ ...common, ...terms, allowsSeveral: true })
      }
      case 'insurance':
        return bank.requestInsurance({ ...common, permissions: offer.permissions })
    }
  }

  /** The hub does not end the consent that is renewed; a TPP does, once it holds the new one (tpp-api 4.5). */
  const endRenewed = async (bank: LfiConnection, consentId: string, kind: ConsentKind): Promise<void> => {
    try {
      await bank.revoke(consentId, 'TPP', kind)
    } catch (error) {
      // It may have ended by itself, which is often why it was renewed.
      if (!(error instanceof LfiFault)) throw error
    }
  }

  const withToken = async <T>(connection: Connection, once: () => Promise<T>): Promise<T> => {
    if (connection.tokens.expiresAt - TOKEN_MARGIN_MS < Date.now()) await renewTokens(connection)
    try {
      return await once()
    } catch (error) {
      // A token can end before its time, by revocation or a restart; the refresh says which of the two.
      if (!(error instanceof LfiFault) || error.status !== 401) throw error
      await renewTokens(connection)
      return await once()
    }
  }

  return {
    lfi,
    renewTokens,
    connect: async (chosen, offer, session) => start(await client.connect(chosen), offer, session),
    renew: async (connection, session) => {
      const bank = await lfi(connection.lfiCode)
      return start(bank, connection.offer ?? FIRST_OFFER, session, connection)
    },
    pay: async (connection) => {
      const offer = OFFERS.get(connection.offer ?? '')
      if (offer?.kind !== 'payments') throw new Error('nothing is paid under this consent')
      const bank = await lfi(connection.lfiCode)
      const { consentId } = connection
      const terms = { amount: offer.each, creditor: PAYEE, purpose: PURPOSE, reference: REFERENCE }
      const order = { consentId, idempotencyKey: randomUUID(), ...terms }
      await withToken(connection, () => bank.pay(order, connection.tokens))
    },
    comeBack: async (query, session) => {
      const started = session.pending.find((one) => one.state === query.get('state'))
      if (started === undefined) throw untrusted('this callback answers nothing that was started in this browser')
      // Once only: whatever comes of it, the same callback cannot be played again.
      session.pending = session.pending.filter((one) => one !== started)
      const bank = await lfi(started.lfiCode)
      const tokens = await bank.redeem(query, started)
      const connection: Connection = {
        consentId: started.consentId,
        lfiCode: started.lfiCode,
        lfiName: started.lfiName,
        presetLabel: started.presetLabel,
        offer: started.offer,
        ...(started.baseConsentId === undefined ? {} : { baseConsentId: started.baseConsentId }),
        connectedAt: Date.now(),
        tokens,
      }
      session.connections.push(connection)
      // Where others have yet to agree, the one before stays until the person ends it.
      if (started.renews !== undefined && tokens.consentStatus === 'Authorized') {
        await endRenewed(bank, started.renews, kindOf(connection))
      }
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
      return withToken(connection, once)
    },
  }
}

export const kindOf = ({ offer }: Pick<Connection, 'offer'>): ConsentKind => OFFERS.get(offer ?? '')?.kind ?? 'accounts'

const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
