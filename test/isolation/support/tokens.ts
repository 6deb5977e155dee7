/** What those who try have of their own: tokens for themselves, and of users of theirs who agreed to as much as there is. */
import { PERMISSIONS } from '../../../src/permissions.ts'
import { FILE_INSTRUCTION, schedules } from '../../gateway/support/payments.ts'
import type { Party } from '../../profiles/support/world.ts'
import { agreedOf, paymentFor } from './journeys.ts'
import type { TwoBanks } from './two-banks.ts'

export type Bearer = Readonly<Record<'client' | 'accounts' | 'payments' | 'file', string>>
export type Tokens = Readonly<Record<'other TPP' | 'same TPP, other LFI', Bearer>>

type Json = Record<string, unknown>

const SCOPES = 'openid accounts payments insurance fx account-opening tpp-reports'
const OWN = { psuIdentifiers: { userId: 'own-10' }, accountIds: ['own-20'] }

export async function createTokens({ world, flow, meridianFlow }: TwoBanks): Promise<Tokens> {
  const { otherUae, uae } = world.parties
  const of = async (at: typeof flow, by: Party): Promise<Bearer> => {
    const { answer } = await at.token(
      by,
      { grant_type: 'client_credentials', scope: SCOPES },
      { certificate: by.certificate },
    )
    if (answer.status !== 200) throw new Error(`token: ${answer.status} ${answer.text}`)
    const agreed = async (changes: Json): Promise<string> =>
      (await agreedOf(at, by, changes, OWN)).tokens().then(({ access_token }) => access_token)
    return {
      client: (answer.json() as { access_token: string }).access_token,
      accounts: await agreed({ Permissions: Object.keys(PERMISSIONS) }),
      payments: await agreed(paymentFor(schedules().single)),
      file: await agreed(paymentFor({ ConsentSchedule: { FilePayment: FILE_INSTRUCTION } })),
    }
  }
  return { 'other TPP': await of(flow, otherUae), 'same TPP, other LFI': await of(meridianFlow, uae) }
}
