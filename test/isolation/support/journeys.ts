/** Consents of each type from the push to the tokens, for those who try and for whom it is tried on. */
import { randomUUID } from 'node:crypto'
import { JWE } from '../../gateway/support/payments.ts'
import type { Flow } from '../../profiles/support/flow.ts'
import { type Party, REDIRECT_URI } from '../../profiles/support/world.ts'

const DAY_MS = 86_400_000
type Json = Record<string, unknown>

export const paymentFor = (ControlParameters: object): Json => ({
  ...{ ControlParameters, PersonalIdentifiableInformation: JWE, PaymentPurposeCode: 'ACM' },
  Permissions: ['ReadRefundAccount'],
})
export const INSURANCE: Json = {
  Permissions: [{ InsuranceType: 'Motor', Permissions: ['ReadInsurancePolicies'] }],
  OpenFinanceBilling: { Purpose: 'QuoteComparison' },
}
const ACCOUNTS: Json = { OpenFinanceBilling: { UserType: 'Retail', Purpose: 'BudgetingAnalysis' } }

/** The type follows from what is asked for. */
function requestOf(flow: Flow, members: Json) {
  const consentId = randomUUID()
  const family =
    'ControlParameters' in members ? 'service-initiation' : members === INSURANCE ? 'insurance' : 'account-access'
  const scope = { 'service-initiation': 'payments', insurance: 'insurance', 'account-access': 'accounts' }[family]
  const consent = {
    ConsentId: consentId,
    Permissions: ['ReadAccountsBasic', 'ReadAccountsDetail', 'ReadBalances'],
    ExpirationDateTime: new Date(Date.now() + 30 * DAY_MS).toISOString(),
    ...(family === 'account-access' ? ACCOUNTS : {}),
    ...members,
  }
  const detail = { type: `urn:openfinanceuae:${family}-consent:v2.1`, consent }
  return { ...flow.request({ scope: `openid ${scope}`, authorization_details: [detail] }), consentId }
}

export async function pushedOf(flow: Flow, owner: Party, members: Json = {}) {
  const { params, verifier, consentId } = requestOf(flow, members)
  const { answer } = await flow.push(owner, params, { certificate: owner.certificate })
  if (answer.status !== 201) throw new Error(`push: ${answer.status} ${answer.text}`)
  return { consentId, verifier, requestUri: (answer.json() as { request_uri: string }).request_uri }
}

/** @param granted what the LFI writes of its user and their accounts */
export async function agreedOf(flow: Flow, owner: Party, members: Json, granted: Json) {
  const { consentId, verifier, requestUri } = await pushedOf(flow, owner, members)
  const code = (await flow.agree(owner, requestUri, consentId, granted)).searchParams.get('code') ?? ''
  const redeem = () =>
    flow.token(
      owner,
      { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier },
      { certificate: owner.certificate },
    )
  return {
    ...{ consentId, verifier, code, redeem },
    tokens: async () => {
      const { answer } = await redeem()
      if (answer.status !== 200) throw new Error(`token: ${answer.status} ${answer.text}`)
      return answer.json() as { readonly access_token: string; readonly refresh_token: string }
    },
  }
}
