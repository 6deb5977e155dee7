/** The authorization server's door for TPPs: every operation, with the caller's own credentials. */
import type { TppOperationName } from '../../../src/auth-server/tpp-operations.ts'
import { REDIRECT_URI } from '../../profiles/support/world.ts'
import type { Aim } from './aim.ts'
import { type Attempt, type NamesNothing, NOTHING } from './attempt.ts'

type Form = (aim: Aim) => Readonly<Record<string, string>>
/** Sent as a form, or pushed as a request for a consent that continues the one aimed at. */
type Row = readonly [what: string, status: number, sent: Form | 'a renewal']
const OPERATIONS: Readonly<Record<TppOperationName, readonly Row[] | NamesNothing>> = {
  par: [['POST /par of a renewal', 201, 'a renewal']],
  token: [
    [
      'POST /token with the code',
      400,
      ({ code, verifier }) => ({
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT_URI,
        code_verifier: verifier,
      }),
    ],
    [
      'POST /token with the refresh token',
      400,
      ({ refreshToken }) => ({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    ],
  ],
  introspection: [['POST /introspection of the refresh token', 200, ({ refreshToken }) => ({ token: refreshToken })]],
  revocation: [['POST /token/revoke of the refresh token', 200, ({ refreshToken }) => ({ token: refreshToken })]],
  /** The access token itself is all that it is told. */
  userinfo: NOTHING,
}
const PATHS = { token: '/token', introspection: '/introspection', revocation: '/token/revoke' } as const

export const AT_AS: readonly Attempt[] = (['other TPP', 'same TPP, other LFI'] as const).flatMap((who) =>
  Object.entries(OPERATIONS).flatMap(([name, rows]) =>
    'names' in rows ? [] : rows.map((row) => attemptOf(who, name as keyof typeof PATHS | 'par', row)),
  ),
)

function attemptOf(
  who: 'other TPP' | 'same TPP, other LFI',
  name: keyof typeof PATHS | 'par',
  [what, status, sent]: Row,
): Attempt {
  const tenant = who === 'other TPP' ? 'aurora' : 'meridian'
  return {
    tenant,
    door: 'as',
    who,
    what,
    status,
    ...(sent === 'a renewal' ? {} : { isSecret: true as const }),
    ask: async (aim, { banks }) => {
      const { otherUae, uae } = banks.world.parties
      const by = who === 'other TPP' ? otherUae : uae
      const flow = tenant === 'aurora' ? banks.flow : banks.meridianFlow
      const how = { certificate: by.certificate }
      if (sent === 'a renewal' || name === 'par') {
        const { params } = flow.request()
        const [detail] = params['authorization_details'] as readonly { readonly consent: object }[]
        const renewal = { ...detail, consent: { ...detail?.consent, BaseConsentId: aim.consentId } }
        return (await flow.push(by, { ...params, authorization_details: [renewal] }, how)).answer
      }
      return (await flow.post(PATHS[name], { ...flow.credentials(by), ...sent(aim) }, how)).answer
    },
  }
}
