/** Paying at a bank (tpp-api 5.3): signed requests, personal data for the bank's eyes only, one key per payment. */
import { CompactEncrypt, importJWK, type JWK, SignJWT } from 'jose'
import { LfiFault, untrusted } from './errors.ts'
import type { SigningKey } from './profile.ts'
import type { ResourceAnswer, Resources } from './resources.ts'
import type { Transport } from './transport.ts'

export type Money = { readonly Amount: string; readonly Currency: string }
export type Creditor = { readonly name: string; readonly iban: string }
export type FileDescription = {
  readonly FileType: string
  readonly FileHash: string
  readonly NumberOfTransactions: number
  readonly ControlSum: string
}
export type PaymentConsentAsk = {
  /** ControlParameters of the contract (tpp-api 2.7.1). */
  readonly control: object
  readonly creditors: readonly Creditor[]
  readonly purpose: string
  readonly reference: string
  readonly expiresAt: Date
  /** The account may be one that several hold, and all of them are asked (tpp-api 4.8). */
  readonly allowsSeveral?: boolean
  readonly baseConsentId?: string
  readonly webhookUrl?: string
}
export type PaymentOrder = {
  readonly consentId: string
  readonly idempotencyKey: string
  readonly amount: Money
  readonly creditor: Creditor
  readonly purpose: string
  readonly reference: string
}
export type FileOrder = Pick<PaymentOrder, 'consentId' | 'idempotencyKey' | 'purpose'> & {
  readonly file: FileDescription
}

export type Payments = {
  /** Members of the consent to push. */
  consentClaims(consentId: string, ask: PaymentConsentAsk): Promise<Readonly<Record<string, unknown>>>
  pay(order: PaymentOrder, accessToken: string): Promise<ResourceAnswer>
  payFile(order: FileOrder, accessToken: string): Promise<ResourceAnswer>
  /** Where the payment of a key is. */
  find(idempotencyKey: string, ownToken: string): Promise<string>
  show(path: string, ownToken: string): Promise<ResourceAnswer>
  handOver(consentId: string, file: Buffer, ownToken: string): Promise<number>
  report(paymentId: string, ownToken: string): Promise<string>
}

const BASE = '/open-finance/payment/v2.1'
const MESSAGE_SECONDS = 300

export function createPayments(deps: {
  readonly clientId: string
  readonly issuer: string
  readonly origin: string
  readonly signing: SigningKey
  readonly transport: Transport
  readonly resources: Resources
  /** Published keys of the bank. */
  readonly keysUrl: string
}): Payments {
  const { clientId, issuer, signing, transport, resources } = deps
  const base = `${deps.origin}${BASE}`

  const sign = (claims: Record<string, unknown>): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'PS256', kid: signing.kid })
      .setIssuer(clientId)
      .setAudience([issuer])
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime(`${MESSAGE_SECONDS}s`)
      .sign(signing.key)

  const encrypt = async (personal: Record<string, unknown>): Promise<string> => {
    const key = await encryptionKey(transport, deps.keysUrl)
    return new CompactEncrypt(Buffer.from(await sign(personal)))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: key.kid ?? '', cty: 'JWT' })
      .encrypt(await importJWK(key, 'RSA-OAEP-256'))
  }

  const order = async (path: string, data: object, idempotencyKey: string, accessToken: string) =>
    resources.call(`${base}${path}`, {
      method: 'POST',
      accessToken,
      signed: true,
      jws: await sign({ message: { Data: data } }),
      idempotencyKey,
    })

  return {
    async consentClaims(consentId, ask) {
      const Creditor = ask.creditors.map((creditor) => ({ CreditorAccount: accountOf(creditor) }))
      return {
        ConsentId: consentId,
        ...(ask.baseConsentId === undefined ? {} : { BaseConsentId: ask.baseConsentId }),
        IsSingleAuthorization: ask.allowsSeveral !== true,
        ExpirationDateTime: ask.expiresAt.toISOString(),
        Permissions: ['ReadRefundAccount'],
        ControlParameters: ask.control,
        PersonalIdentifiableInformation: await encrypt({ Initiation: { Creditor }, Risk: {} }),
        PaymentPurposeCode: ask.purpose,
        DebtorReference: ask.reference,
      }
    },
    async pay({ consentId, idempotencyKey, amount, creditor, purpose, reference }, accessToken) {
      const data = {
        ConsentId: consentId,
        Instruction: { Amount: amount },
        PersonalIdentifiableInformation: await encrypt({
          Initiation: { CreditorAccount: accountOf(creditor) },
          Risk: {},
        }),
        PaymentPurposeCode: purpose,
        DebtorReference: reference,
        OpenFinanceBilling: { Type: 'PushP2P' },
      }
      return order('/payments', data, idempotencyKey, accessToken)
    },
    payFile: ({ consentId, idempotencyKey, file, purpose }, accessToken) =>
      order(
        '/file-payments',
        { ConsentId: consentId, Instruction: file, PaymentPurposeCode: purpose },
        idempotencyKey,
        accessToken,
      ),
    async find(idempotencyKey, ownToken) {
      const found = await resources.call(`${base}/payments`, { accessToken: ownToken, signed: true, idempotencyKey })
      const self = (found.body as { readonly Links?: { readonly Self?: unknown } } | null)?.Links?.Self
      if (typeof self !== 'string' || !self.startsWith(`${base}/`))
        throw untrusted('the payment is nowhere at this bank')
      return self.slice(base.length)
    },
    show: (path, ownToken) => resources.call(`${base}${path}`, { accessToken: ownToken, signed: true }),
    async handOver(consentId, file, ownToken) {
      const response = await transport.fetch(`${base}/payment-consents/${consentId}/file`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${ownToken}`,
          'content-type': 'text/csv',
          'x-idempotency-key': consentId,
        },
        body: file.toString('utf8'),
      })
      if (response.status !== 200) throw refused(response)
      return response.status
    },
    async report(paymentId, ownToken) {
      const response = await transport.fetch(`${base}/file-payments/${paymentId}/report`, {
        headers: { authorization: `Bearer ${ownToken}` },
      })
      if (response.status !== 200) throw refused(response)
      return response.text()
    },
  }
}

const accountOf = ({ name, iban }: Creditor) => ({ SchemeName: 'IBAN', Identification: iban, Name: { en: name } })

const refused = ({ status }: Response): LfiFault => new LfiFault('resource', `the bank answered ${status}`, { status })

/** The first of the bank's keys that is for encryption (tpp-api 2.7.3). */
async function encryptionKey(transport: Transport, url: string): Promise<JWK> {
  const response = await transport.fetch(url, { headers: { accept: 'application/json' } })
  const { keys = [] } = response.status === 200 ? ((await response.json()) as { readonly keys?: readonly JWK[] }) : {}
  const key = keys.find(({ use, kty }) => use === 'enc' && kty === 'RSA')
  if (key === undefined) throw untrusted('the bank has published no key for personal data')
  return key
}
