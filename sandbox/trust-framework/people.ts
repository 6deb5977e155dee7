/** People of the sandbox who may have something to do at a bank's hub. Whom each belongs to, and what they may do, the directory says. */
import { LFIS, stableUuid } from './ecosystem.ts'

export type PersonRecord = {
  readonly username: string
  readonly password: string
  /** Never changes, and says nothing about them. */
  readonly subject: string
  readonly name: string
  readonly organisationId: string
  readonly roles: readonly string[]
}

/** The authority that supervises banks; it takes no part in the ecosystem, so the directory has no record of it. */
export const SUPERVISOR_ID = '5b0f2e9a-6c1d-4a37-9e84-0d7f3c2b1a66'

/** Values of the claim `roles` that mean something to the hubs of this sandbox. */
export const HUB_ROLES = {
  operator: 'hub-operator',
  business: 'hub-business',
  security: 'hub-security',
  regulator: 'supervisor',
} as const

const person = (username: string, name: string, organisationId: string, roles: readonly string[]): PersonRecord => ({
  username,
  password: `${username}-2468`,
  subject: stableUuid(`person:${username}`),
  name,
  organisationId,
  roles,
})

const { operator, business, security, regulator } = HUB_ROLES
export const PEOPLE: readonly PersonRecord[] = [
  person('jamal', 'Jamal Al Hosani', LFIS.aurora.id, [operator]),
  person('olfa', 'Olfa Ben Salem', LFIS.aurora.id, [operator, business]),
  person('bushra', 'Bushra Khalil', LFIS.aurora.id, [business]),
  person('saif', 'Saif Al Ketbi', LFIS.aurora.id, [security]),
  person('sara', 'Sara Iqbal', LFIS.aurora.id, [security, operator]),
  // Works there, and has nothing to do at the hub.
  person('dina', 'Dina Haddad', LFIS.aurora.id, ['teller']),
  person('mansour', 'Mansour Al Ali', LFIS.meridian.id, [operator, business]),
  person('maha', 'Maha Rahman', LFIS.meridian.id, [security]),
  person('majid', 'Majid Aziz', LFIS.meridian.id, [security]),
  person('rashid', 'Rashid Al Suwaidi', SUPERVISOR_ID, [regulator]),
]

/** Whom a hub of this organisation lets in. */
export const peopleOf = (organisationId: string): readonly PersonRecord[] => {
  const known = new Set<string>(Object.values(HUB_ROLES))
  return PEOPLE.filter(
    (each) =>
      (each.organisationId === organisationId || each.organisationId === SUPERVISOR_ID) &&
      each.roles.some((role) => known.has(role)),
  )
}
