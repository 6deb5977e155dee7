/** What a TPP and its bank sign, made before the clock runs: each assertion, request object and JWT Auth is good once. */
import { constants, createHash, createPrivateKey, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'

export type Signer = { readonly kid: string; readonly keyFile: string }
export type TppParty = Signer & { readonly clientId: string; readonly redirectUri: string }
export type LfiParty = Signer & { readonly name: string; readonly organisationId: string; readonly audience: string }

/** A consent about to be asked for: the body of its push, and what will be needed later. */
export type Asked = { readonly consentId: string; readonly verifier: string; readonly body: string }

export const RAR_TYPE = 'urn:openfinanceuae:account-access-consent:v2.1'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const DAY_MS = 86_400_000

const now = (): number => Math.floor(Date.now() / 1000)
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** On the thread pool, so that many are made at once. */
export function signer({ kid, keyFile }: Signer): (claims: object) => Promise<string> {
  const key: KeyObject = createPrivateKey(readFileSync(keyFile))
  const header = encode({ alg: 'PS256', kid })
  return (claims) =>
    new Promise((resolve, reject) => {
      const input = `${header}.${encode(claims)}`
      const options = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
      sign('sha256', Buffer.from(input), options, (error, signature) =>
        error === null ? resolve(`${input}.${signature.toString('base64url')}`) : reject(error),
      )
    })
}

export function tppSigner(tpp: TppParty, issuer: string) {
  const signed = signer(tpp)
  const form = async (fields: Readonly<Record<string, string>>): Promise<string> => {
    const claims = {
      iss: tpp.clientId,
      sub: tpp.clientId,
      aud: issuer,
      iat: now(),
      exp: now() + 290,
      jti: randomUUID(),
    }
    const assertion = await signed(claims)
    const authenticated = { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion, ...fields }
    return new URLSearchParams(authenticated).toString()
  }
  return {
    form,
    ask: async (): Promise<Asked> => {
      const [consentId, verifier] = [randomUUID(), randomBytes(32).toString('base64url')]
      const request = await signed({
        iss: tpp.clientId,
        aud: issuer,
        nbf: now(),
        exp: now() + 590,
        client_id: tpp.clientId,
        response_type: 'code',
        redirect_uri: tpp.redirectUri,
        scope: 'openid accounts',
        state: randomUUID(),
        nonce: randomUUID(),
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        authorization_details: [detailOf(consentId)],
      })
      return { consentId, verifier, body: await form({ request }) }
    },
  }
}

const detailOf = (consentId: string): object => ({
  type: RAR_TYPE,
  consent: {
    ConsentId: consentId,
    Permissions: ['ReadAccountsBasic', 'ReadAccountsDetail', 'ReadBalances', 'ReadTransactionsBasic'],
    ExpirationDateTime: new Date(Date.now() + 30 * DAY_MS).toISOString(),
    OpenFinanceBilling: { UserType: 'Retail', Purpose: 'BudgetingAnalysis' },
  },
})

/** JWT Auth (lfi-api 4.3): a minute at most. */
export function lfiSigner(lfi: LfiParty): () => Promise<string> {
  const signed = signer(lfi)
  return () =>
    signed({
      iss: lfi.name,
      sub: lfi.organisationId,
      aud: lfi.audience,
      iat: now(),
      exp: now() + 60,
      jti: randomUUID(),
    })
}
