/** Operations for a client: one row each says how its body goes to the LFI and how the answer comes back. */
import { compile, convert, type Kind, object } from './shape.ts'

export type Service = {
  /** From the TPP's body to the LFI's; null where there is none. What it leaves out is the hub's own. */
  readonly ask: Kind | null
  readonly answer: {
    /** `match`: it is not passed on, but compared with what was asked (lfi-api 3.8). */
    readonly data: 'list' | 'one' | 'match' | 'none'
    /** Records below `data` of a body, for what may be left out of one that breaks the contract. */
    readonly records: readonly (string | '#')[]
    /** `pages`: of this hub's pages; `own`: its address here, and what the LFI adds. */
    readonly links: 'none' | 'pages' | 'own'
    readonly meta: 'none' | 'pages' | 'given' | 'empty'
  }
}

/** `{…}` → `{name: {…}}` */
function nested(name: string, kind: Kind): Kind {
  const how = compile(kind)
  return convert((value, quality) => ({ [name]: how(value, quality) }))
}

const nameOfPayee = object({
  FullName: 'fullName',
  GivenName: 'firstName',
  LastName: 'lastName',
  BusinessName: 'businessName',
})
const payee = object({ SchemeName: 'schemeName', Identification: 'identification', Name: ['name', nameOfPayee] })

/** Members are spelled alike; `Subscription` stays with the hub. */
const data = object({ Data: 'data' })

const ONE = { data: 'one', records: [], links: 'own', meta: 'empty' } as const

export const SERVICES = {
  'payee-query': {
    ask: object({ Data: ['data', nested('account', payee)] }),
    answer: { data: 'match', records: ['#'], links: 'own', meta: 'empty' },
  },
  atms: { ask: null, answer: { data: 'list', records: ['#'], links: 'none', meta: 'given' } },
  products: { ask: null, answer: { data: 'list', records: ['#', 'Products', '#'], links: 'pages', meta: 'pages' } },
  lead: { ask: data, answer: { data: 'one', records: [], links: 'none', meta: 'none' } },
  'new-quote': { ask: data, answer: ONE },
  quote: { ask: null, answer: ONE },
  'quote-acceptance': { ask: data, answer: { ...ONE, data: 'none' } },
  'new-account': { ask: data, answer: ONE },
  'account-status': { ask: null, answer: ONE },
} as const satisfies Record<string, Service>
export type ServiceName = keyof typeof SERVICES
