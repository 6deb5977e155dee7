/** ISO 13616: AE, two check digits, three digits of bank, sixteen of account. */
export function iban(bank: string, account: string): string {
  const body = `${bank}${account.padStart(16, '0')}`
  if (!/^\d{19}$/.test(body)) throw new RangeError('an AE IBAN has a 3-digit bank and a 16-digit account')
  const check = 98n - (BigInt(`${body}${LETTERS}00`) % 97n)
  return `AE${String(check).padStart(2, '0')}${body}`
}

/** A = 10 and E = 14 in the arithmetic of ISO 7064. */
const LETTERS = '1014'
