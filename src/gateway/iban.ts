/** Account numbers of the Emirates: AE, two check digits, three digits of the bank, sixteen of the account (ISO 13616). */
const UAE_IBAN = /^AE\d{2}(\d{3})\d{16}$/

/** The bank's part; null where it is no such number. */
export function bankCodeOf(iban: string): string | null {
  const [, bankCode] = UAE_IBAN.exec(iban) ?? []
  return bankCode !== undefined && remainder(iban) === 1n ? bankCode : null
}

/** ISO 7064 mod 97-10 over the number with its head at the end and letters as two digits. */
function remainder(iban: string): bigint {
  const moved = iban.slice(4) + iban.slice(0, 4)
  return BigInt(moved.replaceAll(/[A-Z]/g, (letter) => String((letter.codePointAt(0) ?? 0) - 55))) % 97n
}
