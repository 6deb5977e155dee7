/** The rules that a pushed consent has to keep to, by its type, in the order in which they are looked at. */
import { parseControlParameters } from '../../consent-store/index.ts'
import { ACCOUNT_ACCESS, INSURANCE, SERVICE_INITIATION, type ServedRarType } from '../served.ts'
import { amountsAreSomething, currencyIsOne, numbersCount } from './amounts.ts'
import { authorizedInTime, endsInTime } from './lifetime.ts'
import { chainBeginsAtItsRoot, eventsGoHome, historyIsInOrder } from './members.ts'
import { personalDataIsEncrypted, purposeIsKnown } from './payment-members.ts'
import { insurancePermissionsAreDistinct, permissionsGoTogether } from './permissions.ts'
import type { Asked, PaymentRule, Rule } from './rule.ts'
import { fileIsLater, scheduleIsPossible } from './schedules.ts'

export type { Asked, ConsentDetail } from './rule.ts'

const PAYMENT: readonly PaymentRule[] = [
  currencyIsOne,
  amountsAreSomething,
  numbersCount,
  scheduleIsPossible,
  fileIsLater,
]

/** Which of the permitted combinations it is, and what that one has to keep to (tpp-api 2.7.1, 2.7.2). */
const paymentsArePossible: Rule = (asked) => {
  const parsed = parseControlParameters(asked.detail.consent.ControlParameters)
  if (!parsed.ok) return `consent.ControlParameters.${parsed.path} ${parsed.fault}`
  return firstFault(
    PAYMENT.map((rule) => (given: Asked) => rule(parsed.control, given)),
    asked,
  )
}

const EVERY: readonly Rule[] = [endsInTime, eventsGoHome, chainBeginsAtItsRoot]

export const RULES = {
  [ACCOUNT_ACCESS]: [...EVERY, historyIsInOrder, permissionsGoTogether],
  [SERVICE_INITIATION]: [
    ...EVERY,
    authorizedInTime,
    permissionsGoTogether,
    purposeIsKnown,
    personalDataIsEncrypted,
    paymentsArePossible,
  ],
  [INSURANCE]: [...EVERY, insurancePermissionsAreDistinct],
} as const satisfies Record<ServedRarType, readonly Rule[]>

/** What is wrong first; null: nothing is. */
export function firstFault(rules: readonly Rule[], asked: Asked): string | null {
  for (const rule of rules) {
    const fault = rule(asked)
    if (fault !== null) return fault
  }
  return null
}
