import { type HeldName, matchName } from '../name-match/index.ts'
import { stage } from '../stage.ts'

/** Bodies as their schemas let them through. */
type Asked = {
  readonly Data: { readonly Name: { readonly FullName: string } | { readonly BusinessName: string } }
}
type Person = {
  readonly fullName: string
  readonly givenName?: string
  readonly middleName?: string
  readonly familyName?: string
}
type Owner = {
  readonly verifiedClaims: readonly {
    readonly claims?: Person
    readonly organisationClaims?: { readonly name: string }
  }[]
}

/** The hub compares, so that a TPP learns whether it was right and not whose account it is (lfi-api 3.8). */
export const matchPayee = stage({
  name: 'match-payee',
  needs: ['arrival', 'service', 'body', 'reply'],
  adds: ['translation'],
  fails: ['GenericError'],
  run({ arrival, service, body, reply }, { tenant, serviceTranslator }) {
    const { data = [] } = serviceTranslator.check(service, reply.body) as { readonly data?: readonly Owner[] }
    // Nobody has this account, as far as the LFI says.
    if (data.length === 0) return { translation: { body: null, records: 0, quality: null } }
    const { Name } = (body as Asked).Data
    const given: HeldName =
      'BusinessName' in Name ? { kind: 'business', name: Name.BusinessName } : { kind: 'person', name: Name.FullName }
    const { indicator, maskedName } = matchName(given, data.flatMap(namesOf))
    const answer = {
      Data: {
        NameMatchIndicator: `ConfirmationOfPayee.${indicator}`,
        ...(maskedName === null ? {} : { MaskedName: maskedName }),
      },
      Links: { Self: tenant.listeners.rs.origin + arrival.path },
      Meta: {},
    }
    return { translation: { body: answer, records: data.length, quality: null } }
  },
})

const namesOf = (owner: Owner): readonly HeldName[] =>
  owner.verifiedClaims.flatMap(({ claims, organisationClaims }) => [
    ...(claims === undefined ? [] : personNames(claims)),
    ...(organisationClaims === undefined ? [] : [{ kind: 'business' as const, name: organisationClaims.name }]),
  ])

/** In full, and by its parts where the LFI keeps them. */
function personNames({ fullName, givenName, middleName, familyName }: Person): readonly HeldName[] {
  const parts = [givenName, middleName, familyName].filter((part) => part !== undefined)
  const named = givenName !== undefined && familyName !== undefined ? [fullName, parts.join(' ')] : [fullName]
  return named.map((name) => ({ kind: 'person', name }))
}
