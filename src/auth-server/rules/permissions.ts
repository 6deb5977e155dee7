/** Which permissions go together (tpp-api 2.6–2.8). */
import { missingDependency } from '../../permissions.ts'
import type { InsurancePermissions, Rule } from './rule.ts'

/** Of account and payment consents alike: ReadBalances means nothing without the accounts. */
export const permissionsGoTogether: Rule = ({ detail }) => {
  const codes = (detail.consent.Permissions ?? []) as readonly string[]
  if (isRepeating(codes)) return 'consent.Permissions repeats a permission'
  const missing = missingDependency(codes)
  return missing === null ? null : `consent.Permissions: ${missing}`
}

/** Each type of insurance once, with each of its permissions once. */
export const insurancePermissionsAreDistinct: Rule = ({ detail }) => {
  const all = (detail.consent.Permissions ?? []) as readonly InsurancePermissions[]
  if (isRepeating(all.map(({ InsuranceType: type }) => type))) return 'consent.Permissions repeats an InsuranceType'
  const at = all.findIndex(({ Permissions: codes }) => isRepeating(codes))
  return at < 0 ? null : `consent.Permissions[${at}].Permissions repeats a permission`
}

const isRepeating = (list: readonly string[]): boolean => new Set(list).size !== list.length
