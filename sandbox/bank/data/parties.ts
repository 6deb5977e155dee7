/** Who holds an account, in the verified-claims form (lfi-api 3.7, Parties). */
import { stamp } from './calendar.ts'
import type { AccountSpec, BankSpec, BusinessSpec, Emirate, PersonSpec, UserSpec } from './spec.ts'
import type { Window } from './window.ts'

const DAY_MS = 86_400_000

/** `GET /accounts/{accountId}/customer`: every holder with the part they play. */
export function accountParties(account: AccountSpec, bank: BankSpec, window: Window) {
  return account.holders.flatMap(({ userId, party, role }) => {
    const user = bank.users.find((known) => known.userId === userId)
    if (user === undefined) return []
    const person = {
      ...identity(user),
      customerType: party,
      customerCategory: account.type,
      accountRole: role,
      verifiedClaims: [verified(personClaims(user.person, user, window), window)],
    }
    if (user.business === undefined || account.type === 'Retail') return [person]
    return [
      {
        id: `cus-${user.userId}-firm`,
        number: firmNumber(user),
        customerType: 'Sole',
        customerCategory: account.type,
        accountRole: 'Principal',
        verifiedClaims: [verified(businessClaims(user.business), window)],
      },
      person,
    ]
  })
}

/** `GET /customer`: the user alone; an owner of a firm is known to the bank with the firm. */
export function customer(user: UserSpec, window: Window) {
  return {
    ...identity(user),
    customerCategory: user.business === undefined ? 'Retail' : 'SME',
    verifiedClaims: [
      verified(personClaims(user.person, user, window), window),
      ...(user.business === undefined ? [] : [verified(businessClaims(user.business), window)]),
    ],
  }
}

const digits = (user: UserSpec): string => user.userId.replaceAll(/\D/g, '')
const identity = (user: UserSpec) => ({ id: `cus-${user.userId}`, number: `C${digits(user)}` })
const firmNumber = (user: UserSpec): string => `F${digits(user)}`

export const latinName = (person: PersonSpec): string => `${person.given} ${person.family}`
export const printedName = (person: PersonSpec): string =>
  person.prints === 'arabic' ? person.arabic : latinName(person)

/** As the account shows it: the firm, or all holders. */
export function accountName(account: AccountSpec, bank: BankSpec): string {
  const holders = account.holders.flatMap(({ userId }) => bank.users.filter((user) => user.userId === userId))
  const firm = account.type === 'Retail' ? undefined : holders.find(({ business }) => business !== undefined)?.business
  return firm?.name ?? holders.map(({ person }) => printedName(person)).join(' / ')
}

const address = (emirate: Emirate, street: string, addressType: 'Residential' | 'Business') => ({
  addressType,
  addressLine: [street],
  streetName: street,
  townName: emirate,
  countrySubDivision: emirate,
  country: 'AE',
})

function personClaims(person: PersonSpec, user: UserSpec, window: Window) {
  const day = (offset: number) => stamp(window.asOf + offset * DAY_MS).slice(0, 10)
  return {
    identityType: 'Person',
    fullName: latinName(person),
    givenName: person.given,
    familyName: person.family,
    nickname: person.arabic,
    emiratesId: emiratesId(person, user),
    emiratesIdExpiryDate: day(700),
    birthDate: person.born,
    sourceOfIncome: person.salary > 0 ? 'Salary' : 'Business',
    ...(person.salary > 0 ? { salary: String(person.salary) } : {}),
    nationality: person.nationality,
    residentialAddress: address(person.emirate, person.street, 'Residential'),
    mobileNumber: `+97150${digits(user).padStart(7, '0')}`,
    email: `${user.username}@customer.example`,
    maritalStatus: person.marital,
    salutation: person.salutation,
    language: person.prints === 'arabic' ? 'ar' : 'en',
    employerName: person.employer,
    employmentSinceDate: day(-1_500),
    powerofAttorney: false,
    salaryTransfer: person.salary > 0,
    profession: person.profession,
    updatedAt: stamp(window.asOf - 40 * DAY_MS),
  }
}

/** Shaped like an Emirates ID; the middle block is our own user number, so it is nobody's. */
const emiratesId = (person: PersonSpec, user: UserSpec): string =>
  `784-${person.born.slice(0, 4)}-${digits(user).padStart(7, '0')}-0`

const businessClaims = (business: BusinessSpec) => ({
  identityType: 'Business',
  businessName: business.name,
  tradeLicenceNumber: business.licence,
  taxIdentificationNumber: business.taxNumber,
  dateOfIncorporation: business.since,
  countryOfIncorporation: 'AE',
  corporateAddress: address(business.emirate, business.street, 'Business'),
  corporateContactEmail: 'accounts@firm.example',
  corporateContactPhoneNumber: '+97140000001',
  industry: business.industry,
  companyWebsite: business.website,
})

const verified = <Claims extends object>(claims: Claims, window: Window) => ({
  verification: {
    trustFramework: 'FI',
    assuranceLevel: 'substantial',
    assuranceProcess: {
      policy: 'Customer due diligence',
      procedure: 'Branch visit',
      assuranceDetails: [
        {
          assuranceType: 'counterpart_verification',
          assuranceClassification: 'verified',
          evidenceRef: [{ txn: 'sandbox-evidence-1', evidenceMetadata: { evidenceClassification: 'primary' } }],
        },
      ],
    },
    time: stamp(window.asOf - 400 * DAY_MS),
    verificationProcess: 'in-person',
    evidence: {
      type: 'document',
      checkDetails: [
        {
          checkMethod: 'vpip',
          organization: 'Branch operations',
          txn: 'sandbox-evidence-1',
          time: stamp(window.asOf - 400 * DAY_MS),
        },
      ],
      documentDetails: {
        type: 'emirates_id',
        calendarType: 'GregorianCalendar',
        dateOfExpiry: stamp(window.asOf + 700 * DAY_MS),
      },
    },
  },
  claims,
})
