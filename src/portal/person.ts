/** Who logged in, by what the trust framework says of them; and who is not let in, and why. */
import type { PortalConfig, PortalRole, TenantConfig } from '../config.ts'
import { PORTAL_ROLES } from '../config.ts'

export type Person = {
  /** Their name at the trust framework, for the audit log. */
  readonly subject: string
  /** As they are called. */
  readonly name: string
  readonly roles: readonly PortalRole[]
}

export type Claims = Readonly<Record<string, unknown>>
export type Judged =
  | { readonly person: Person }
  | { readonly refused: 'organisation' | 'role'; readonly subject: string; readonly name: string }

const NAME_MAX = 120

/** Somebody of another organisation has no business here, whatever roles they hold there. */
export function judgePerson(claims: Claims, tenant: TenantConfig, portal: PortalConfig): Judged {
  const subject = String(claims['sub'])
  const name = (typeof claims['name'] === 'string' ? claims['name'] : subject).slice(0, NAME_MAX)
  const organisation = claims[portal.organisationClaim]
  const isOwn = organisation === tenant.organisationId
  const isSupervisor = portal.regulatorOrganisations.some((each) => each === organisation)
  if (!isOwn && !isSupervisor) return { refused: 'organisation', subject, name }
  const held = textsOf(claims[portal.rolesClaim])
  const roles = PORTAL_ROLES.filter((role) => portal.roles[role].some((value) => held.includes(value)))
  const open = isOwn ? roles : roles.filter((role) => role === 'regulator')
  return open.length === 0 ? { refused: 'role', subject, name } : { person: { subject, name, roles: open } }
}

const textsOf = (claim: unknown): readonly unknown[] => (Array.isArray(claim) ? claim : [claim])
