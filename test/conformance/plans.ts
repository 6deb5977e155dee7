/** The plans of the suite: which modules apply, and how the applications speak in them. */
import { CBUAE } from './cbuae.ts'
import { type Module, PREFIX } from './module.ts'
import { DPOP } from './modules-dpop.ts'
import { type Style, UAE_STYLE } from './style.ts'

export type PlanName = 'cbuae' | 'fapi2-mtls' | 'fapi2-dpop'
export type Plan = { readonly name: PlanName; readonly style: Style; readonly modules: readonly Module[] }

/** They are about a request object, and plain FAPI 2.0 has none. */
const ABOUT_SIGNED_REQUESTS: ReadonlySet<string> = new Set(
  [
    'ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted',
    'ensure-different-nonce-inside-and-outside-request-object',
    'ensure-different-state-inside-and-outside-request-object',
    'state-only-outside-request-object-not-used',
  ].map((name) => `${PREFIX}${name}`),
)
const PUSHED_URI = `${PREFIX}par-authorization-request-containing-request_uri-form-param`

const PLAIN: readonly Module[] = CBUAE.filter(({ id, group }) =>
  group === 'request object refused' ? id === PUSHED_URI : !ABOUT_SIGNED_REQUESTS.has(id),
)

export const PLANS: readonly Plan[] = [
  { name: 'cbuae', style: UAE_STYLE, modules: CBUAE },
  { name: 'fapi2-mtls', style: { requests: 'plain', binding: 'certificate' }, modules: PLAIN },
  { name: 'fapi2-dpop', style: { requests: 'plain', binding: 'key' }, modules: [...PLAIN, ...DPOP] },
]

export function planOf(name: PlanName): Plan {
  const plan = PLANS.find((each) => each.name === name)
  if (plan === undefined) throw new Error(`no plan is called ${name}`)
  return plan
}
